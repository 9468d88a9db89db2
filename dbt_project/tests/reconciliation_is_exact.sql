-- Every row and every cent received is accounted for: in all, by file and by day.
{% for table in ['reconciliation', 'reconciliation_by_file', 'reconciliation_by_day'] -%}
select
    '{{ table }}' as table_name,
    entity,
    measure,
    difference
from {{ ref(table) }}
where difference <> 0
{{ 'union all' if not loop.last }}
{% endfor %}
