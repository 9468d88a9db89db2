-- CTEs `customers` with the periods of 30 days that they have lived through since their first purchase, and `transactions`,
-- what each did in each of them.
{% macro lived_periods() -%}
customers as (

    select
        customers.customer_id,
        customers.first_purchase_date,
        cast(date_trunc('month', customers.first_purchase_date) as date) as cohort_month,
        -- The first period ends 29 days after the first purchase; how many have ended by the as-of date.
        {{ quotient(days_between('customers.first_purchase_date', 'as_of.as_of_date') ~ ' + 1', 30) }}
            as lived_period_count,
        {{ quotient(days_between('customers.first_purchase_date', 'as_of.as_of_date'), 30) }} as last_period_number
    from {{ ref('dim_customers') }} as customers
    cross join {{ ref('dim_as_of') }} as as_of
    where customers.first_purchase_date is not null

),

transactions as (

    select
        customers.cohort_month,
        customers.customer_id,
        -- A return that came before the first purchase counts in the first period.
        {{ quotient(
            'greatest(0, ' ~ days_between('customers.first_purchase_date', 'transactions.transaction_date') ~ ')', 30
        ) }} as period_number,
        customers.lived_period_count,
        bool_or(transactions.is_purchase) as is_active,
        sum(transactions.net_amount) as net_amount
    from {{ ref('fct_transactions') }} as transactions
    inner join customers on transactions.customer_id = customers.customer_id
    group by all

)
{%- endmacro %}
