-- Accepted rows and money neither shrink nor grow against the last published day by more than the limits allow.
with now_accepted as (

    select * from {{ ref('reconciliation') }}

),

last_day as (

    select * from {{ source('raw', 'last_totals') }}

),

limits as (

    select * from {{ source('raw', 'limits') }}

)

select
    now_accepted.entity,
    now_accepted.measure,
    last_day.as_of_date as last_as_of_date,
    last_day.accepted as last_accepted,
    now_accepted.accepted
from now_accepted
inner join last_day on now_accepted.entity = last_day.entity and now_accepted.measure = last_day.measure
cross join limits
where
    last_day.accepted > 0
    and (
        now_accepted.accepted < (1 - limits.shrink_share) * last_day.accepted
        or now_accepted.accepted > limits.growth_factor * last_day.accepted
    )
