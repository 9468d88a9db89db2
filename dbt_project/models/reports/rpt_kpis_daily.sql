with days as (

    select * from {{ ref('dim_dates') }}

),

transactions as (

    select * from {{ ref('fct_transactions') }}

),

first_purchases as (

    select
        first_purchase_date as date_day,
        count(*) as new_customer_count
    from {{ ref('dim_customers') }}
    where first_purchase_date is not null
    group by first_purchase_date

),

daily as (

    select
        transaction_date as date_day,
        count(*) as transaction_count,
        count(*) filter (where is_purchase) as purchase_count,
        count(*) filter (where is_return) as return_count,
        count(distinct customer_id) filter (where is_purchase) as active_customer_count,
        sum(net_amount) as net_amount,
        sum(net_amount) filter (where is_purchase) as purchase_amount
    from transactions
    group by transaction_date

)

select
    days.date_day as date,
    coalesce(daily.transaction_count, 0) as transaction_count,
    coalesce(daily.active_customer_count, 0) as active_customer_count,
    coalesce(first_purchases.new_customer_count, 0) as new_customer_count,
    cast(coalesce(daily.net_amount, 0) as decimal(38, 4)) as net_amount,
    round(cast(daily.purchase_amount as double) / nullif(daily.purchase_count, 0), 4) as average_transaction_amount,
    round(cast(daily.return_count as double) / nullif(daily.transaction_count, 0), 9) as return_rate
from days
left join daily on days.date_day = daily.date_day
left join first_purchases on days.date_day = first_purchases.date_day
order by days.date_day
