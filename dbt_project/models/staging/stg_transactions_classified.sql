{{ config(materialized='table') }}

with typed as (

    select
        lines.*,
        cast(lines.occurred_at as date) > as_of.as_of_date as is_after_as_of
    from {{ ref('stg_transactions_typed') }} as lines
    cross join {{ ref('stg_as_of') }} as as_of

),

usable as (

    select * from typed
    where _defect is null and not _is_superseded

),

-- Only content that occurs twice is looked at closer: windows over every row would cost more than all the rest.
repeated_content as (

    select content_hash
    from usable
    group by content_hash
    having count(*) > 1

),

copies as (

    -- Where repeats are kept, the n-th copy within one file repeats the n-th copy in another.
    select
        usable.content_hash,
        usable._is_excluded,
        usable._source_file,
        usable._row_number,
        case when usable._keep_repeats then row_number() over (
            partition by usable.content_hash, usable._source_file order by usable._is_excluded, usable._row_number
        ) else 1 end as copy_number
    from usable
    inner join repeated_content on usable.content_hash = repeated_content.content_hash

),

repeats as (

    select
        _source_file,
        _row_number,
        row_number() over (
            partition by content_hash, copy_number order by _is_excluded, _source_file, _row_number
        ) > 1 as is_repeat
    from copies

),

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
        typed.*,
        coalesce(repeats.is_repeat, false) as is_repeat,
        shared_ids.transaction_id is not null as is_shared_id
    from typed
    left join repeats on typed._source_file = repeats._source_file and typed._row_number = repeats._row_number
    left join shared_ids on typed.transaction_id = shared_ids.transaction_id

)

select
    * exclude (is_repeat, is_shared_id, is_after_as_of, _defect, content_hash, _received_at, _keep_repeats),
    case
        when _is_superseded then 'superseded'
        when _defect is not null then 'rejected'
        when is_repeat then 'repeated'
        when _is_excluded or is_after_as_of then 'excluded'
        when is_shared_id then 'rejected'
        else 'accepted'
    end as row_status,
    case
        when _is_superseded then 'newer_delivery'
        when _defect is not null then _defect
        when is_repeat then 'exact_repeat'
        when _is_excluded then 'where'
        when is_after_as_of then 'after_as_of'
        when is_shared_id then 'conflicting_key.customer_id'
    end as row_reason
from flagged
