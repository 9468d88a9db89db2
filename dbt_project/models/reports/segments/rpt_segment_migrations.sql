with {{ reported_segments() }},

moved as (

    select
        as_of_date,
        strategy,
        previous_segment,
        segment,
        change,
        count(*) as customer_count
    from segments
    group by as_of_date, strategy, previous_segment, segment, change

),

shared as (

    -- Ways of few customers into a segment are one row, with the next smallest that it takes.
    select
        *,
        {{ is_merged('customer_count', 'previous_segment, change', parent='strategy, segment') }} as is_merged,
        cast(customer_count as double)
        / sum(customer_count) over (partition by strategy, previous_segment) as share_of_previous
    from moved

)

select
    as_of_date,
    strategy,
    case when is_merged then 'other segments' else previous_segment end as previous_segment,
    segment,
    case when is_merged then 'various' else change end as change,
    cast(sum(customer_count) as bigint) as customer_count,
    round(
        max(share_of_previous) filter (where not is_merged and previous_segment is not null), 9
    ) as share_of_previous
from shared
group by all
having sum(customer_count) >= {{ smallest_group() }}
order by strategy asc, previous_segment asc nulls first, customer_count desc, segment asc, change asc
