-- What the data carries, and of segments what became of them: only a fit tells whether they hold.
with data_capabilities as (

    select * from {{ ref('data_capabilities') }}

),

verdicts as (

    select
        'segmentation_' || strategy as capability,
        status = 'published' as is_available,
        reason,
        case when status = 'published' then 'available' else 'off' end as level,
        cast(null as double) as expected_precision
    from {{ source('ml', 'segment_strategies') }}

)

select
    capability,
    is_available,
    reason,
    level,
    expected_precision
from verdicts
union all
select
    capability,
    is_available,
    reason,
    level,
    expected_precision
from data_capabilities
where capability not in (select verdicts.capability from verdicts)
order by capability
