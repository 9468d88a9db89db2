with settings as (

    select * from {{ source('raw', 'source_settings') }}

),

happened as (

    {% for entity, moment in [
        ('transactions', 'occurred_at'), ('interactions', 'occurred_at'), ('feedback', 'created_at'),
        ('campaign_contacts', 'contacted_at'), ('campaign_contacts', 'responded_at'),
        ('subscriptions', 'started_at'), ('subscriptions', 'ended_at'),
    ] -%}
    select
        {{ moment }} as occurred_at,
        '{{ entity }}' = 'transactions' as is_transaction
    from {{ ref('stg_' ~ entity ~ '_typed') }}
    where _defect is null and not _is_superseded and not _is_excluded
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

has_transactions as (

    select coalesce(bool_or(is_transaction), false) as has_any from happened

),

events as (

    -- Transactions alone say how far the data goes; where there are none, whatever else has happened so far.
    select happened.occurred_at
    from happened
    cross join has_transactions
    cross join settings
    where
        (happened.is_transaction or not has_transactions.has_any)
        and (happened.is_transaction or happened.occurred_at <= settings.known_at)

),

days as (

    select
        cast(occurred_at as date) as date_day,
        {{ time_of_day('max(occurred_at)') }} as closed_at
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
    ) as as_of_date,
    coalesce(settings.requested_as_of_date < last_complete_day.date_day, false) as is_backfilled
from settings
left join last_complete_day on true
