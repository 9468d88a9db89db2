{% set metrics = {
    'net_amount': 'Amount paid after discounts, guests included; what went back to the customer is negative.',
    'transaction_count': 'Transactions of any kind.',
    'active_customer_count': 'Known customers with a purchase in the week, each counted once.',
    'new_customer_count': 'Customers whose first purchase was in the week.',
    'average_transaction_amount': 'Net amount of purchases per purchase.',
    'return_rate': 'Share of transactions that are returns.',
} %}
with as_of as (

    select * from {{ ref('dim_as_of') }}

),

weeks as (

    -- Seven days each, counted back from the as-of date, so that the last one is whole; an earlier rest is left out.
    select
        max(dates.date_day) as week_end,
        {{ quotient(days_between('dates.date_day', 'as_of.as_of_date'), 7) }} as weeks_ago
    from {{ ref('dim_dates') }} as dates
    cross join as_of
    group by weeks_ago
    having count(*) = 7

),

transactions as (

    select
        transactions.*,
        {{ quotient(days_between('transaction_date', 'as_of.as_of_date'), 7) }} as weeks_ago
    from {{ ref('fct_transactions') }} as transactions
    cross join as_of

),

first_purchases as (

    select
        {{ quotient(days_between('first_purchase_date', 'as_of.as_of_date'), 7) }} as weeks_ago,
        count(*) as new_customer_count
    from {{ ref('dim_customers') }}
    cross join as_of
    where first_purchase_date is not null
    group by weeks_ago

),

traded as (

    select
        weeks_ago,
        cast(sum(net_amount) as double) as net_amount,
        count(*) as transaction_count,
        count(distinct customer_id) filter (where is_purchase) as active_customer_count,
        cast(sum(net_amount) filter (where is_purchase) as double)
        / nullif(count(*) filter (where is_purchase), 0) as average_transaction_amount,
        cast(count(*) filter (where is_return) as double) / count(*) as return_rate
    from transactions
    group by weeks_ago

),

measured as (

    {% for metric, definition in metrics.items() -%}
    select
        weeks.week_end,
        '{{ metric }}' as metric,
        {{ loop.index }} as metric_number,
        '{{ definition }}' as definition,
        cast({{ metric if metric in ('average_transaction_amount', 'return_rate') else 'coalesce(' ~ metric ~ ', 0)' }}
            as double) as value
    from weeks
    left join traded on weeks.weeks_ago = traded.weeks_ago
    left join first_purchases on weeks.weeks_ago = first_purchases.weeks_ago
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

moved as (

    select
        measured.*,
        lag(value) over (partition by metric order by week_end) as previous_value,
        lag(value, 52) over (partition by metric order by week_end) as year_ago_value,
        abs(value - lag(value) over (partition by metric order by week_end)) as moving_range
    from measured

),

{{ control_limits('moved', partition='metric', moment='week_end') }}

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
