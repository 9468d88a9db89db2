-- Every day from the first transaction to the as-of date, so that a day without trade is a row of zeros in the reports.
with bounds as (

    select
        min(transactions.transaction_date) as first_date,
        max(as_of.as_of_date) as last_date
    from {{ ref('fct_transactions') }} as transactions
    cross join {{ ref('dim_as_of') }} as as_of

),

days as (

    select {{ each_day('first_date', 'last_date') }} as date_day from bounds

)

select
    date_day,
    cast(date_trunc('month', date_day) as date) as month_start,
    date_day = last_day(date_day) as is_month_end
from days
order by date_day
