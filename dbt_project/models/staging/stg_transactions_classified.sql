{{ config(materialized='table') }}

with lines as (

    select
        lines.*,
        cast(lines.occurred_at as date) > as_of.as_of_date as is_after_as_of,
        coalesce(cast(lines.updated_at as date) > as_of.as_of_date, false) as is_not_yet_known
    from {{ ref('stg_transactions_converted') }} as lines
    cross join {{ ref('stg_as_of') }} as as_of

),

newest_versions as (

    -- A line has no key of its own: the newest version of a transaction replaces all lines of the older ones.
    select
        transaction_id,
        max(updated_at) as updated_at
    from lines
    where updated_at is not null and _defect is null and not _is_superseded and not is_not_yet_known
    group by transaction_id

),

versioned as (

    select
        lines.*,
        coalesce(
            lines.updated_at < newest_versions.updated_at, newest_versions.updated_at is not null
        ) as is_old_version
    from lines
    left join newest_versions on lines.transaction_id = newest_versions.transaction_id

),

usable as (

    select * from versioned
    where _defect is null and not _is_superseded and not is_not_yet_known and not is_old_version

),

{{ exact_repeats() }},

-- Judged among the rows that would take part: neither a filtered row nor one of the future can condemn another.
shared_ids as (

    select transaction_id
    from usable
    where not _is_excluded and not is_after_as_of
    group by transaction_id
    having min(customer_id) <> max(customer_id)

),

flagged as (

    select
        versioned.*,
        case
            when versioned._is_superseded then 'newer_delivery'
            when versioned._defect is not null and versioned._is_excluded then coalesce(versioned._exclusion, 'where')
            when versioned._defect is not null then versioned._defect
            when versioned.is_not_yet_known then 'after_as_of'
            when versioned.is_old_version then 'newer_version'
            when repeats._row_number is not null then 'exact_repeat'
            when versioned._is_excluded then coalesce(versioned._exclusion, 'where')
            when versioned.is_after_as_of then 'after_as_of'
            when shared_ids.transaction_id is not null then 'conflicting_key.customer_id'
        end as row_reason
    from versioned
    left join repeats
        on versioned._source_file = repeats._source_file and versioned._row_number = repeats._row_number
    left join shared_ids on versioned.transaction_id = shared_ids.transaction_id

)

select
    * {{ except() }} (
        is_not_yet_known, is_after_as_of, is_old_version, _defect, content_hash, _received_at, _keep_repeats
    ),
    {{ row_status('row_reason') }} as row_status
from flagged
