{% for entity in entities().split() -%}
{%- set columns = columns_of(ref('stg_' ~ entity)) -%}
select
    '{{ entity }}' as entity,
    column_name,
    row_count,
    row_count - present_count as missing_count,
    round((row_count - present_count) / nullif(row_count, 0), 9) as missing_share
from (
    select
        {% for column in columns -%}
        count({{ column }}) as {{ column }},
        {% endfor -%}
        count(*) as row_count
    from {{ ref('stg_' ~ entity) }}
) as counted
unpivot (present_count for column_name in ({{ columns | join(', ') }}))
{{ 'union all' if not loop.last }}
{% endfor %}
order by entity, column_name
