with segments as (

    select * from {{ source('ml', 'customer_segments') }}

),

sizes as (

    select
        strategy,
        segment,
        count(*) as segment_count,
        sum(count(*)) over (partition by strategy) as strategy_count
    from segments
    group by strategy, segment

),

pairs as (

    select
        one.strategy,
        one.segment,
        other.strategy as other_strategy,
        other.segment as other_segment,
        count(*) as customer_count
    from segments as one
    inner join segments as other on one.customer_id = other.customer_id and one.strategy <> other.strategy
    group by one.strategy, one.segment, other.strategy, other.segment

)

select
    pairs.strategy,
    pairs.segment,
    pairs.other_strategy,
    pairs.other_segment,
    pairs.customer_count,
    round(cast(pairs.customer_count as double) / own.segment_count, 9) as share_of_segment,
    round(
        cast(pairs.customer_count as double)
        / own.segment_count / (cast(theirs.segment_count as double) / theirs.strategy_count), 9
    ) as lift
from pairs
inner join sizes as own on pairs.strategy = own.strategy and pairs.segment = own.segment
inner join sizes as theirs on pairs.other_strategy = theirs.strategy and pairs.other_segment = theirs.segment
order by
    pairs.strategy asc, pairs.segment asc, pairs.other_strategy asc, pairs.customer_count desc, pairs.other_segment asc
