-- One row per day from the first transaction to the as-of date, so that a day without trade is a row of zeros.
with recursive bounds as (

    select
        min(transactions.transaction_date) as first_date,
        max(as_of.as_of_date) as last_date
    from {{ ref('fct_transactions') }} as transactions
    cross join {{ ref('stg_as_of') }} as as_of

),

days as (

    select first_date as date_day from bounds
    where first_date is not null
    union all
    select days.date_day + 1 as date_day
    from days
    cross join bounds
    where days.date_day < bounds.last_date

)

select date_day from days
