with {{ reported_segments() }},

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

),

weighed as (

    select
        *,
        {{ is_hidden('customer_count', 'other_segment', parent='strategy, segment, other_strategy') }} as is_hidden
    from pairs

),

told as (

    -- What is left out of one segment's row is left out of the other's: each pair stands in both.
    select * from weighed
    qualify not bool_or(is_hidden) over (
        partition by
            least(strategy || segment, other_strategy || other_segment),
            greatest(strategy || segment, other_strategy || other_segment)
    )

)

select
    told.strategy,
    told.segment,
    told.other_strategy,
    told.other_segment,
    told.customer_count,
    round(cast(told.customer_count as double) / own.segment_count, 9) as share_of_segment,
    round(
        cast(told.customer_count as double)
        / own.segment_count / (cast(theirs.segment_count as double) / theirs.strategy_count), 9
    ) as lift
from told
inner join sizes as own on told.strategy = own.strategy and told.segment = own.segment
inner join sizes as theirs on told.other_strategy = theirs.strategy and told.other_segment = theirs.segment
order by
    told.strategy asc, told.segment asc, told.other_strategy asc, told.customer_count desc, told.other_segment asc
