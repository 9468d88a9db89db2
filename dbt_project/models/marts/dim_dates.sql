-- Every day from the first transaction to the as-of date, so that a day without trade is a row of zeros in the reports.
with bounds as (

    select
        min(transactions.transaction_date) as first_date,
        max(as_of.as_of_date) as last_date
    from {{ ref('fct_transactions') }} as transactions
    cross join {{ ref('dim_as_of') }} as as_of

),

days as (

    select
        {{ each_day('first_date', 'last_date') }} as date_day,
        last_date
    from bounds

),

weeks as (

    -- Seven days each, counted back from the as-of date, so that the last one is whole; the first may be shorter.
    select
        date_day,
        max(date_day) over (partition by {{ quotient(days_between('date_day', 'last_date'), 7) }}) as week_end
    from days

)

select
    date_day,
    cast(date_trunc('month', date_day) as date) as month_start,
    date_day = last_day(date_day) as is_month_end,
    week_end
from weeks
order by date_day
