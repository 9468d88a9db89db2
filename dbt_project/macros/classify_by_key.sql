-- What becomes of each received row of an entity with a key: of the versions known by the as-of date the newest wins,
-- before any filter; versions that differ with nothing to tell them apart are rejected.
{% macro classify_by_key(typed, key, known_from=none) %}
{%- set columns = [key] if key is string else key %}
with typed as (

    select * from {{ typed }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

),

known as (

    select
        typed.*,
        coalesce(cast(typed.updated_at as date) > as_of.as_of_date, false) as is_not_yet_known,
        {% if known_from %}coalesce(cast(typed.{{ known_from }} as date) > as_of.as_of_date, false)
        {% else %}false{% endif %} as is_after_as_of,
        typed._is_superseded or typed._defect is not null or is_not_yet_known as is_out
    from typed
    cross join as_of

),

ranked as (

    select
        *,
        rank() over (partition by is_out, {{ columns | join(', ') }} order by updated_at desc nulls last) as version_rank,
        row_number() over (
            partition by is_out, {{ columns | join(', ') }}, updated_at, content_hash
            order by _is_excluded, _source_file, _row_number
        ) as copy_number,
        min(content_hash) over (partition by is_out, {{ columns | join(', ') }}, updated_at) as first_content,
        max(content_hash) over (partition by is_out, {{ columns | join(', ') }}, updated_at) as last_content
    from known

),

judged as (

    select
        *,
        case
            when _is_superseded then 'newer_delivery'
            when _defect is not null and _is_excluded then coalesce(_exclusion, 'where')
            when _defect is not null then _defect
            when is_not_yet_known then 'after_as_of'
            when version_rank > 1 then 'newer_version'
            when first_content <> last_content then 'conflicting_key.{{ columns | join(' x ') }}'
            when copy_number > 1 then 'exact_repeat'
            when _is_excluded then coalesce(_exclusion, 'where')
            when is_after_as_of then 'after_as_of'
        end as row_reason
    from ranked

)

select
    * {{ except() }} (
        is_not_yet_known, is_after_as_of, is_out, _defect, content_hash, version_rank, copy_number, first_content,
        last_content
    ),
    {{ row_status('row_reason') }} as row_status
from judged
{% endmacro %}
