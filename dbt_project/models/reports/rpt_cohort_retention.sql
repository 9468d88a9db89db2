with customers as (

    select
        customer_id,
        cast(date_trunc('month', first_purchase_date) as date) as cohort_month
    from {{ ref('dim_customers') }}
    where first_purchase_date is not null

),

months as (

    select distinct cast(date_trunc('month', date_day) as date) as month_start
    from {{ ref('dim_dates') }}

),

cohorts as (

    select
        cohort_month,
        count(*) as customer_count
    from customers
    group by cohort_month

),

activity as (

    select
        customers.cohort_month,
        cast(date_trunc('month', transactions.transaction_date) as date) as month_start,
        count(distinct transactions.customer_id) filter (where transactions.is_purchase) as active_count,
        sum(transactions.net_amount) as net_amount
    from {{ ref('fct_transactions') }} as transactions
    inner join customers on transactions.customer_id = customers.customer_id
    group by customers.cohort_month, month_start

),

grid as (

    select
        cohorts.cohort_month,
        cohorts.customer_count,
        months.month_start,
        12 * (extract(year from months.month_start) - extract(year from cohorts.cohort_month))
        + extract(month from months.month_start) - extract(month from cohorts.cohort_month) as month_number
    from cohorts
    inner join months on cohorts.cohort_month <= months.month_start

)

select
    grid.cohort_month,
    cast(grid.month_number as integer) as month_number,
    grid.customer_count,
    coalesce(activity.active_count, 0) as active_count,
    round(cast(coalesce(activity.active_count, 0) as double) / nullif(grid.customer_count, 0), 9) as retention_rate,
    cast(coalesce(activity.net_amount, 0) as decimal(38, 4)) as net_amount,
    last_day(grid.month_start) <= as_of.as_of_date as is_complete_month
from grid
cross join {{ ref('dim_as_of') }} as as_of
left join activity on grid.cohort_month = activity.cohort_month and grid.month_start = activity.month_start
order by grid.cohort_month, month_number
