with days as (

    select
        {{ weekday_number('date_day') }} as weekday_number,
        count(*) as day_count
    from {{ ref('dim_dates') }}
    group by weekday_number

),

known as (

    select is_available as has_hours
    from {{ ref('data_capabilities') }}
    where capability = 'purchase_hours'

),

hours as (

    -- Dates without times all say the same hour: then a weekday has one row, for the whole day.
    select case when known.has_hours then clock.hour_number end as hour_of_day
    from known
    inner join range(0, 24) as clock (hour_number) on known.has_hours or clock.hour_number = 0

),

transactions as (

    select
        {{ weekday_number('transactions.transaction_date') }} as weekday_number,
        case when known.has_hours then extract(hour from transactions.occurred_at) end as hour_of_day,
        transactions.customer_id,
        transactions.net_amount
    from {{ ref('fct_transactions') }} as transactions
    cross join known

),

counted as (

    select
        days.weekday_number,
        hours.hour_of_day,
        days.day_count,
        count(transactions.weekday_number) as transaction_count,
        count(distinct transactions.customer_id) as customer_count,
        coalesce(sum(transactions.net_amount), 0) as net_amount
    from days
    cross join hours
    left join transactions
        on
            days.weekday_number = transactions.weekday_number
            and coalesce(hours.hour_of_day, -1) = coalesce(transactions.hour_of_day, -1)
    group by days.weekday_number, hours.hour_of_day, days.day_count

),

evenly as (

    select
        *,
        cast(sum(transaction_count) over () as double) / nullif(sum(day_count) over (), 0) as even_count,
        cast(sum(net_amount) over () as double) / nullif(cast(sum(day_count) over () as double), 0) as even_amount
    from counted

)

select
    weekday_number,
    {{ weekday_name("date '2001-01-01' + weekday_number - 1") }} as weekday_name,
    cast(hour_of_day as integer) as hour_of_day,
    day_count,
    transaction_count,
    customer_count,
    cast(net_amount as decimal(38, 4)) as net_amount,
    round(cast(transaction_count as double) / day_count, 9) as transactions_per_day,
    round(cast(transaction_count as double) / day_count / nullif(even_count, 0), 9) as transaction_index,
    round(cast(net_amount as double) / day_count / nullif(even_amount, 0), 9) as net_amount_index
from evenly
order by weekday_number, hour_of_day
