with customers as (

    select
        count(*) filter (where purchase_count > 0) as buyer_count,
        count(*) filter (where purchase_count = 1) as one_time_buyer_count
    from {{ ref('dim_customers') }}

),

lines as (

    select
        count(*) as line_count,
        count(*) filter (where customer_id is null) as guest_line_count,
        count(cost_amount) as cost_line_count,
        {{ days_between('min(transaction_date)', 'max(transaction_date)') }} + 1 as history_days
    from {{ ref('fct_transaction_lines') }}

),

measured as (

    {% for measure, value in [
        ('customers', '(select count(*) from ' ~ ref('dim_customers') ~ ')'),
        ('customers_with_a_purchase', 'customers.buyer_count'),
        ('one_time_buyer_share', 'customers.one_time_buyer_count / nullif(customers.buyer_count, 0)'),
        ('transaction_lines', 'lines.line_count'),
        ('guest_line_share', 'lines.guest_line_count / nullif(lines.line_count, 0)'),
        ('line_share_with_cost', 'lines.cost_line_count / nullif(lines.line_count, 0)'),
        ('history_days', 'lines.history_days'),
        ('contracts', '(select count(*) from ' ~ ref('fct_subscriptions') ~ ')'),
    ] -%}
    select
        {{ loop.index }} as measure_number,
        '{{ measure }}' as measure,
        cast({{ value }} as double) as value
    from customers
    cross join lines
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    measure,
    round(value, 9) as value
from measured
order by measure_number
