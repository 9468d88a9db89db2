with now_accepted as (

    select * from {{ ref('reconciliation') }}

),

last_day as (

    select * from {{ ref('stg_last_totals') }}

),

limits as (

    select * from {{ ref('stg_limits') }}

)

select
    now_accepted.entity,
    now_accepted.measure,
    last_day.as_of_date as last_as_of_date,
    last_day.accepted as last_accepted,
    now_accepted.accepted,
    round(cast(now_accepted.accepted as double) / nullif(cast(last_day.accepted as double), 0), 9) as growth_factor,
    coalesce(last_day.accepted, 0) <= 0
    or now_accepted.accepted
    between (1 - limits.shrink_share) * last_day.accepted and limits.growth_factor * last_day.accepted
        as is_within_limits
from now_accepted
cross join limits
left join last_day on now_accepted.entity = last_day.entity and now_accepted.measure = last_day.measure
order by now_accepted.entity, now_accepted.measure
