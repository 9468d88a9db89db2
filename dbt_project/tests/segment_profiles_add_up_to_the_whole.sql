-- Per strategy, the profiles count every customer that has a segment, once.
with profiles as (

    select
        strategy,
        sum(customer_count) as profile_count
    from {{ ref('rpt_segment_profiles') }}
    group by strategy

),

segments as (

    select
        strategy,
        count(*) as member_count
    from {{ source('ml', 'customer_segments') }}
    group by strategy

)

select segments.strategy
from segments
left join profiles on segments.strategy = profiles.strategy
where segments.member_count is distinct from profiles.profile_count
