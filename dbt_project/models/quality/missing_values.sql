{% for entity in entities().split() -%}
select
    '{{ entity }}' as entity,
    column_name,
    row_count,
    row_count - present_count as missing_count,
    round((row_count - present_count) / nullif(row_count, 0), 9) as missing_share
from (
    unpivot (
        select
            count(*) as row_count,
            count(columns(*))
        from {{ ref('stg_' ~ entity) }}
    )
    on columns(* exclude (row_count)) into name column_name value present_count
)
{{ 'union all' if not loop.last }}
{% endfor %}
order by entity, column_name
