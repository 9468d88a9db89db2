-- What is known of days in advance: public holidays, and regressors with all days handed over, later ones too.
with regressors as (

    select
        received.date,
        received.name,
        round(avg(received.value), 6) as value
    from {{ ref('stg_regressors_classified') }} as received
    cross join {{ ref('stg_as_of') }} as as_of
    where
        received.row_status = 'accepted'
        or (
            received.row_reason = 'after_as_of'
            and coalesce(cast(received.updated_at as date) <= as_of.as_of_date, true)
        )
    group by received.date, received.name

),

holidays as (

    select distinct
        holiday_date as date,
        'holiday' as name,
        1.0 as value
    from {{ ref('stg_holidays') }}

)

select
    date,
    name,
    value,
    false as is_holiday
from regressors
union all
select
    date,
    name,
    value,
    true as is_holiday
from holidays
