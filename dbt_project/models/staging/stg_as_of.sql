with settings as (

    select * from {{ source('raw', 'source_settings') }}

),

events as (

    select occurred_at
    from {{ ref('stg_transactions_typed') }}
    where _defect is null and not _is_superseded and not _is_excluded

),

days as (

    select
        cast(occurred_at as date) as date_day,
        cast(max(occurred_at) as time) as closed_at
    from events
    group by date_day

),

last_day as (

    select max(date_day) as date_day from days

),

usual_close as (

    select min(days.closed_at) as closed_at
    from days
    inner join last_day on days.date_day < last_day.date_day and days.date_day >= last_day.date_day - 28

),

last_complete_day as (

    -- The last day counts once its last event is no earlier than the earliest close of the four weeks before.
    select case when days.closed_at < usual_close.closed_at then days.date_day - 1 else days.date_day end as date_day
    from days
    inner join last_day on days.date_day = last_day.date_day
    cross join usual_close

)

select
    coalesce(
        settings.requested_as_of_date, last_complete_day.date_day, cast(settings.known_at as date)
    ) as as_of_date
from settings
left join last_complete_day on true
