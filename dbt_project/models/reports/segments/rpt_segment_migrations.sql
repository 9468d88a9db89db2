with segments as (

    select * from {{ source('ml', 'customer_segments') }}

),

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

)

select
    as_of_date,
    strategy,
    previous_segment,
    segment,
    change,
    customer_count,
    case
        when previous_segment is not null
            then
                round(
                    cast(customer_count as double)
                    / sum(customer_count) over (partition by strategy, previous_segment), 9
                )
    end as share_of_previous
from moved
order by strategy asc, previous_segment asc nulls first, customer_count desc, segment asc, change asc
