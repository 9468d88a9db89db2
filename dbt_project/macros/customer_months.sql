-- CTEs that end in `customers`: what each did in a month beside what they did in the month before.
{% macro customer_months() -%}
monthly as (

    select
        customer_id,
        cast(date_trunc('month', transaction_date) as date) as month_start,
        bool_or(is_purchase) as is_active,
        sum(net_amount) as net_amount
    from {{ ref('fct_transactions') }}
    group by customer_id, month_start

),

either_month as (

    -- Each customer's money of a month, seen from that month and from the next, which it leads to.
    select
        customer_id,
        month_start,
        is_active,
        false as was_active,
        net_amount,
        0 as previous_net_amount
    from monthly
    union all
    select
        customer_id,
        cast(month_start + interval 1 month as date) as month_start,
        false as is_active,
        is_active as was_active,
        0 as net_amount,
        net_amount as previous_net_amount
    from monthly

),

customers as (

    select
        customer_id,
        month_start,
        bool_or(is_active) as is_active,
        bool_or(was_active) as was_active,
        sum(net_amount) as net_amount,
        sum(previous_net_amount) as previous_net_amount
    from either_month
    group by customer_id, month_start

)
{%- endmacro %}
