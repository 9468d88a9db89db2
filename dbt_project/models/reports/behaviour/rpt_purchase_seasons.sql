with days as (

    select
        month_start,
        count(*) as day_count,
        count(*) = extract(day from last_day(month_start)) as is_complete_month
    from {{ ref('dim_dates') }}
    group by month_start

),

transactions as (

    select
        cast(date_trunc('month', transaction_date) as date) as month_start,
        count(*) as transaction_count,
        count(distinct customer_id) as customer_count,
        sum(net_amount) as net_amount
    from {{ ref('fct_transactions') }}
    group by month_start

),

months as (

    select
        days.month_start,
        cast(extract(year from days.month_start) as integer) as year,
        cast(extract(month from days.month_start) as integer) as month_of_year,
        days.day_count,
        days.is_complete_month,
        coalesce(transactions.transaction_count, 0) as transaction_count,
        coalesce(transactions.customer_count, 0) as customer_count,
        cast(coalesce(transactions.net_amount, 0) as decimal(38, 4)) as net_amount
    from days
    left join transactions on days.month_start = transactions.month_start

),

years as (

    select
        year,
        count(*) as complete_month_count,
        cast(sum(net_amount) as double) / sum(day_count) as daily_net_amount
    from months
    where is_complete_month
    group by year

)

select
    months.month_start,
    months.year,
    months.month_of_year,
    months.day_count,
    months.is_complete_month,
    months.transaction_count,
    months.customer_count,
    months.net_amount,
    round(cast(months.net_amount as double) / months.day_count, 4) as daily_net_amount,
    coalesce(years.complete_month_count, 0) as complete_month_count,
    case when months.is_complete_month then round(
        cast(months.net_amount as double) / months.day_count / nullif(years.daily_net_amount, 0), 9
    ) end as seasonal_index
from months
left join years on months.year = years.year
order by months.month_start
