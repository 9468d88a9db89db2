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
        count(distinct transactions.customer_id) as trader_count,
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

),

cells as (

    -- A cell of few customers is not told, nor the next smallest of its month: a total less others says nothing.
    select
        grid.*,
        coalesce(activity.active_count, 0) as active_count,
        coalesce(activity.net_amount, 0) as net_amount,
        grid.customer_count < {{ smallest_group() }}
        or {{ is_small(['activity.active_count']) }}
        or {{ is_hidden(
            'coalesce(activity.trader_count, 0)', 'grid.cohort_month', parent='grid.month_start'
        ) }} as is_hidden
    from grid
    left join activity on grid.cohort_month = activity.cohort_month and grid.month_start = activity.month_start

)

select
    cells.cohort_month,
    cast(cells.month_number as integer) as month_number,
    {{ unless_few('cells.customer_count', 'cells.customer_count') }} as customer_count,
    case when not cells.is_hidden then cells.active_count end as active_count,
    case when not cells.is_hidden then round(cast(cells.active_count as double) / cells.customer_count, 9) end
        as retention_rate,
    last_day(cells.month_start) <= as_of.as_of_date as is_complete_month,
    cast(case when not cells.is_hidden then cells.net_amount end as decimal(38, 4)) as net_amount
from cells
cross join {{ ref('dim_as_of') }} as as_of
{{ money_of_hidden(
    ['cohort_month', 'month_number', 'customer_count', 'active_count', 'retention_rate', 'is_complete_month'], ['net_amount']
) }}
order by cohort_month nulls last, month_number
