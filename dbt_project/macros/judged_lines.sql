-- CTEs that end in `judged`: from `lines`, of those that need a second look, whether a newer version replaces them, whether
-- they say again what another one said, and whether their transaction names several customers.
{% macro judged_lines() -%}
doubtful_ids as (

    select transaction_id
    from lines
    group by transaction_id
    having
        min(customer_id) <> max(customer_id) or min(updated_at) <> max(updated_at)
        or count(updated_at) between 1 and count(*) - 1

),

doubtful as (

    -- Of several versions or customers, or perhaps a repeat: few, so all that follows looks at these alone.
    select * from lines
    where
        not _is_superseded
        and (
            transaction_id in (select transaction_id from doubtful_ids)
            or content_hash in (select content_hash from lines group by content_hash having count(*) > 1)
        )

),

newest_versions as (

    -- A line has no key of its own: the newest version of a transaction replaces all lines of the older ones.
    select
        transaction_id,
        max(updated_at) as updated_at
    from doubtful
    where updated_at is not null and _defect is null and not is_not_yet_known
    group by transaction_id

),

versioned as (

    select
        doubtful.*,
        coalesce(
            doubtful.updated_at < newest_versions.updated_at, newest_versions.updated_at is not null
        ) as is_old_version
    from doubtful
    left join newest_versions on doubtful.transaction_id = newest_versions.transaction_id

),

usable as (

    select * from versioned
    where _defect is null and not is_not_yet_known and not is_old_version

),

{{ exact_repeats(columns=[
    'usable.content_hash', 'transaction_id', 'customer_id', 'occurred_at', 'product_id', 'quantity', 'original_amount',
    'discount_amount', 'cost_amount', 'original_currency', 'kind', 'channel', 'store_id', 'country', 'campaign_id'
]) }},

-- Judged among the rows that would take part: neither a filtered row nor one of the future can condemn another.
shared_ids as (

    select transaction_id
    from usable
    where not _is_excluded and not is_after_as_of
    group by transaction_id
    having min(customer_id) <> max(customer_id)

),

judged as (

    select
        versioned._source_file,
        versioned._row_number,
        case
            when versioned.is_old_version then 'newer_version'
            when repeats._row_number is not null then 'exact_repeat'
        end as lost_to,
        shared_ids.transaction_id is not null as is_shared
    from versioned
    left join repeats
        on versioned._source_file = repeats._source_file and versioned._row_number = repeats._row_number
    left join shared_ids on versioned.transaction_id = shared_ids.transaction_id

)
{%- endmacro %}
