-- What becomes of each received row of an entity with a key: of the versions known by the as-of date the newest wins,
-- before any filter; versions that differ with nothing to tell them apart are rejected.
{% macro classify_by_key(typed, key, known_from=none) %}
with typed as (

    select * from {{ typed }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

),

known as (

    select
        typed.*,
        cast(typed.updated_at as date) > as_of.as_of_date as is_not_yet_known,
        {% if known_from %}coalesce(cast(typed.{{ known_from }} as date) > as_of.as_of_date, false)
        {% else %}false{% endif %} as is_after_as_of,
        typed._is_superseded or typed._defect is not null or coalesce(is_not_yet_known, false) as is_out
    from typed
    cross join as_of

),

ranked as (

    select
        *,
        rank() over (partition by is_out, {{ key }} order by updated_at desc nulls last) as version_rank,
        row_number() over (
            partition by is_out, {{ key }}, updated_at, content_hash order by _is_excluded, _source_file, _row_number
        ) as copy_number,
        min(content_hash) over (partition by is_out, {{ key }}, updated_at) as first_content,
        max(content_hash) over (partition by is_out, {{ key }}, updated_at) as last_content
    from known

)

select
    * exclude (
        is_not_yet_known, is_after_as_of, is_out, _defect, content_hash, version_rank, copy_number, first_content,
        last_content
    ),
    case
        when _is_superseded then 'superseded'
        when _defect is not null then 'rejected'
        when is_not_yet_known then 'excluded'
        when version_rank > 1 then 'superseded'
        when first_content <> last_content then 'rejected'
        when copy_number > 1 then 'repeated'
        when _is_excluded or is_after_as_of then 'excluded'
        else 'accepted'
    end as row_status,
    case
        when _is_superseded then 'newer_delivery'
        when _defect is not null then _defect
        when is_not_yet_known then 'after_as_of'
        when version_rank > 1 then 'newer_version'
        when first_content <> last_content then 'conflicting_key.{{ key }}'
        when copy_number > 1 then 'exact_repeat'
        when _is_excluded then 'where'
        when is_after_as_of then 'after_as_of'
    end as row_reason
from ranked
{% endmacro %}
