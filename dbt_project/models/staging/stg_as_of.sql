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

days as (

    -- From here on windows over a row a day, not joins: Spark works a CTE out anew for each of its readers.
    select
        happened.is_transaction,
        cast(happened.occurred_at as date) as date_day,
        {{ time_of_day('max(happened.occurred_at)') }} as closed_at
    from happened
    cross join settings
    where happened.is_transaction or happened.occurred_at <= settings.known_at
    group by happened.is_transaction, date_day

),

trading_days as (

    -- Transactions alone say how far the data goes; where there are none, whatever else has happened so far.
    select
        date_day,
        closed_at,
        max(date_day) over (partition by is_transaction) as last_day
    from days
    qualify is_transaction or not bool_or(is_transaction) over ()

),

closed as (

    select
        date_day,
        closed_at,
        last_day,
        min(case when date_day < last_day and date_day >= last_day - 28 then closed_at end) over () as usual_close
    from trading_days

),

last_complete_day as (

    -- The last day counts once its last event is no earlier than the earliest close of the four weeks before.
    select case when closed_at < usual_close then date_day - 1 else date_day end as date_day
    from closed
    where date_day = last_day

)

select
    coalesce(
        settings.requested_as_of_date, last_complete_day.date_day, cast(settings.known_at as date)
    ) as as_of_date,
    coalesce(settings.requested_as_of_date < last_complete_day.date_day, false) as is_backfilled
from settings
left join last_complete_day on true
