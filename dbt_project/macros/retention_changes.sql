-- CTEs that end in `changes`: for the days of `bounds` (`shown_from` to `last_date`), on which day how many more customers
-- (`earlier_change`) were active in the 30 days that ended 30 days ago, and how many of these again in the last 30 days
-- (`retained_change`). A purchase makes a customer active for 30 days; purchases no further apart are one run, so that a
-- customer has a few rows however often they buy, and nobody's days are spread out.
{% macro retention_changes(shown_days) -%}
bounds as (

    select
        min(date_day) as first_date,
        max(date_day) as last_date,
        greatest(min(date_day), max(date_day) - {{ shown_days - 1 }}) as shown_from
    from {{ ref('dim_dates') }}

),

purchase_days as (

    select distinct
        transactions.customer_id,
        transactions.transaction_date
    from {{ ref('fct_transactions') }} as transactions
    inner join bounds on transactions.transaction_date >= bounds.shown_from - 59
    where transactions.is_purchase and transactions.customer_id is not null

),

started as (

    select
        *,
        lag(transaction_date, 1, date '1000-01-01') over (
            partition by customer_id order by transaction_date
        ) < transaction_date - 30 as is_start
    from purchase_days

),

numbered as (

    select
        *,
        count(*) filter (where is_start) over (partition by customer_id order by transaction_date) as run_number
    from started

),

runs as (

    select
        customer_id,
        min(transaction_date) as first_day,
        max(transaction_date) as last_day
    from numbered
    group by customer_id, run_number

),

intervals as (

    select
        customer_id,
        first_day + 30 as from_date,
        last_day + 59 as to_date,
        1 as earlier_change,
        0 as retained_change
    from runs
    union all
    select
        earlier.customer_id,
        greatest(earlier.first_day + 30, recent.first_day) as from_date,
        least(earlier.last_day + 59, recent.last_day + 29) as to_date,
        0 as earlier_change,
        1 as retained_change
    from runs as earlier
    inner join runs as recent
        on
            earlier.customer_id = recent.customer_id
            and earlier.first_day + 30 <= recent.last_day + 29
            and earlier.last_day + 59 >= recent.first_day

),

changes as (

    {% for date_day, sign in [('greatest(intervals.from_date, bounds.shown_from)', ''), ('intervals.to_date + 1', '-')] -%}
    select
        intervals.customer_id,
        {{ date_day }} as date_day,
        {{ sign }}intervals.earlier_change as earlier_change,
        {{ sign }}intervals.retained_change as retained_change
    from intervals
    inner join bounds on intervals.to_date >= bounds.shown_from
    {{ 'union all' if not loop.last }}
    {% endfor %}

)
{%- endmacro %}
