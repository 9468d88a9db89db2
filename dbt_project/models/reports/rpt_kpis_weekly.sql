{% set metrics = {
    'net_amount': 'Amount paid after discounts, guests included; what went back to the customer is negative.',
    'transaction_count': 'Transactions of any kind.',
    'active_customer_count': 'Known customers with a purchase in the week, each counted once.',
    'new_customer_count': 'Customers whose first purchase was in the week.',
    'average_transaction_amount': 'Net amount of purchases per purchase.',
    'return_rate': 'Share of transactions that are returns.',
} -%}
{%- set averages = ['average_transaction_amount', 'return_rate'] -%}
with days as (

    select * from {{ ref('dim_dates') }}

),

weeks as (

    select week_end
    from days
    group by week_end
    having count(*) = 7

),

first_purchases as (

    select
        days.week_end,
        count(*) as new_customer_count
    from {{ ref('dim_customers') }} as customers
    inner join days on customers.first_purchase_date = days.date_day
    group by days.week_end

),

traded as (

    select
        days.week_end,
        sum(sold.net_amount) as net_amount,
        count(*) as transaction_count,
        count(distinct sold.customer_id) filter (where sold.is_purchase) as active_customer_count,
        cast(sum(sold.net_amount) filter (where sold.is_purchase) as double)
        / nullif(count(*) filter (where sold.is_purchase), 0) as average_transaction_amount,
        cast(count(*) filter (where sold.is_return) as double) / count(*) as return_rate
    from {{ ref('fct_transactions') }} as sold
    inner join days on sold.transaction_date = days.date_day
    group by days.week_end

),

measured as (

    {% for metric, definition in metrics.items() -%}
    select
        weeks.week_end,
        '{{ metric }}' as metric,
        {{ loop.index }} as metric_number,
        '{{ definition }}' as definition,
        cast(coalesce({{ metric }}, {{ 'null' if metric in averages else 0 }}) as double) as value
    from weeks
    left join traded on weeks.week_end = traded.week_end
    left join first_purchases on weeks.week_end = first_purchases.week_end
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{{ control_limits('measured', partition='metric', moment='week_end') }}

select
    week_end,
    metric,
    metric_number,
    definition,
    round(value, 9) as value,
    round(previous_value, 9) as previous_value,
    round(year_ago_value, 9) as year_ago_value,
    round(centre, 9) as centre,
    round(case when metric <> 'net_amount' then greatest(lower_limit, 0) else lower_limit end, 9) as lower_limit,
    round(upper_limit, 9) as upper_limit,
    coalesce(value < lower_limit or value > upper_limit, false) as is_beyond_limits
from limited
order by metric_number, week_end
