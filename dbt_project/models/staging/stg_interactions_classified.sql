{{ config(materialized='table') }}

with typed as (

    select
        typed.*,
        cast(typed.occurred_at as date) > as_of.as_of_date as is_after_as_of
    from {{ ref('stg_interactions_typed') }} as typed
    cross join {{ ref('stg_as_of') }} as as_of

),

usable as (

    select * from typed
    where _defect is null and not _is_superseded

),

{{ exact_repeats() }},

judged as (

    select
        typed.*,
        case
            when typed._is_superseded then 'newer_delivery'
            when typed._defect is not null and typed._is_excluded then coalesce(typed._exclusion, 'where')
            when typed._defect is not null then typed._defect
            when repeats._row_number is not null then 'exact_repeat'
            when typed._is_excluded then coalesce(typed._exclusion, 'where')
            when typed.is_after_as_of then 'after_as_of'
        end as row_reason
    from typed
    left join repeats on typed._source_file = repeats._source_file and typed._row_number = repeats._row_number

)

select
    * {{ except() }} (is_after_as_of, _defect, content_hash, _keep_repeats),
    {{ row_status('row_reason') }} as row_status
from judged
