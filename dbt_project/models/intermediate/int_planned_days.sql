-- What is known of days in advance: public holidays, and regressors with all days that were handed over, later ones too.
with regressors as (

    select
        date,
        name,
        round(avg(value), 6) as value
    from {{ ref('stg_regressors_classified') }}
    cross join {{ ref('stg_as_of') }} as as_of
    where
        row_status = 'accepted'
        or (row_reason = 'after_as_of' and coalesce(cast(updated_at as date) <= as_of.as_of_date, true))
    group by date, name

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
