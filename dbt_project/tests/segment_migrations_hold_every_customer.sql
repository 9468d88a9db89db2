-- Per strategy, every customer with a segment goes one way.
with migrations as (

    select
        strategy,
        sum(customer_count) as moved_count
    from {{ ref('rpt_segment_migrations') }}
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
left join migrations on segments.strategy = migrations.strategy
where segments.member_count is distinct from migrations.moved_count
