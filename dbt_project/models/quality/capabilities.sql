-- What the data carries, and of segments, sentiment and experiments what became of them: only a fit tells if they hold.
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
    union all
    select
        'feedback_sentiment' as capability,
        bool_or(is_supported) as is_available,
        case when not bool_or(is_supported) then min(language || ': ' || reason) end as reason,
        case when bool_or(is_supported) then 'available' else 'off' end as level,
        cast(null as double) as expected_precision
    from {{ source('ml', 'feedback_languages') }}
    having count(*) > 0

),

experiments as (

    select
        'experiments' as capability,
        count(*) filter (where status <> 'no_data') > 0 as is_available,
        coalesce(max(reason), 'experiments: none is declared in the source file') as reason
    from {{ source('ml', 'experiment_results') }}

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
    case when not is_available then reason end as reason,
    case when is_available then 'available' else 'off' end as level,
    cast(null as double) as expected_precision
from experiments
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
