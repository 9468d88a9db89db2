-- depends_on: {{ ref('stg_transactions_touched') }}

with lines as (

    select
        lines.*,
        cast(lines.occurred_at as date) > as_of.as_of_date as is_after_as_of,
        coalesce(cast(lines.updated_at as date) > as_of.as_of_date, false) as is_not_yet_known
    from {{ ref('stg_transactions_converted') }} as lines
    cross join {{ ref('stg_as_of') }} as as_of
    {{ where_touched('lines.transaction_id') }}

),

{{ judged_lines() }},

flagged as (

    select
        lines.*,
        case
            when lines._is_superseded then 'newer_delivery'
            when lines._defect is not null and lines._is_excluded then coalesce(lines._exclusion, 'where')
            when lines._defect is not null then lines._defect
            when lines.is_not_yet_known then 'after_as_of'
            when judged.lost_to is not null then judged.lost_to
            when lines._is_excluded then coalesce(lines._exclusion, 'where')
            when lines.is_after_as_of then 'after_as_of'
            when judged.is_shared then 'conflicting_key.customer_id'
        end as row_reason
    from lines
    left join judged on lines._source_file = judged._source_file and lines._row_number = judged._row_number

)

select
    * {{ except() }} (is_not_yet_known, is_after_as_of, _defect, content_hash, _received_at, _keep_repeats),
    {{ row_status('row_reason') }} as row_status
from flagged
