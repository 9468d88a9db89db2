with customers as (

    select
        customers.customer_id,
        customers.first_purchase_date,
        cast(date_trunc('month', customers.first_purchase_date) as date) as cohort_month,
        -- The first period ends 29 days after the first purchase; how many have ended by the as-of date.
        (as_of.as_of_date - customers.first_purchase_date + 1) // 30 as lived_period_count,
        (as_of.as_of_date - customers.first_purchase_date) // 30 as last_period_number
    from {{ ref('dim_customers') }} as customers
    cross join {{ ref('dim_as_of') }} as as_of
    where customers.first_purchase_date is not null

),

transactions as (

    select
        customers.cohort_month,
        customers.customer_id,
        -- A return that came before the first purchase counts in the first period.
        greatest(0, transactions.transaction_date - customers.first_purchase_date) // 30 as period_number,
        customers.lived_period_count,
        bool_or(transactions.is_purchase) as is_active,
        sum(transactions.net_amount) as net_amount
    from {{ ref('fct_transactions') }} as transactions
    inner join customers on transactions.customer_id = customers.customer_id
    group by all

),

activity as (

    select
        cohort_month,
        period_number,
        count(*) filter (where is_active and period_number < lived_period_count) as active_count,
        sum(net_amount) filter (where period_number < lived_period_count) as observed_net_amount,
        sum(net_amount) as net_amount
    from transactions
    group by cohort_month, period_number

),

lived as (

    select
        cohort_month,
        lived_period_count,
        max(last_period_number) as last_period_number,
        count(*) as customer_count
    from customers
    group by cohort_month, lived_period_count

),

grid as (

    select
        cohort_month,
        sum(customer_count) as customer_count,
        unnest(range(0, max(last_period_number) + 1)) as period_number
    from lived
    group by cohort_month

),

observed as (

    select
        grid.cohort_month,
        grid.period_number,
        grid.customer_count,
        sum(lived.customer_count) filter (where lived.lived_period_count > grid.period_number) as observed_count
    from grid
    inner join lived on grid.cohort_month = lived.cohort_month
    group by all

)

select
    observed.cohort_month,
    cast(observed.period_number as integer) as period_number,
    cast(observed.customer_count as bigint) as customer_count,
    cast(coalesce(observed.observed_count, 0) as bigint) as observed_count,
    coalesce(activity.active_count, 0) as active_count,
    round(cast(coalesce(activity.active_count, 0) as double) / observed.observed_count, 9) as retention_rate,
    coalesce(observed.observed_count = observed.customer_count, false) as is_complete,
    cast(coalesce(activity.observed_net_amount, 0) as decimal(38, 4)) as observed_net_amount,
    cast(coalesce(activity.net_amount, 0) as decimal(38, 4)) as net_amount
from observed
left join activity
    on observed.cohort_month = activity.cohort_month and observed.period_number = activity.period_number
order by observed.cohort_month, observed.period_number
