{% set entities = ['transactions', 'customers', 'products', 'campaigns', 'campaign_contacts'] %}

{% for entity in entities -%}
select
    '{{ entity }}' as entity,
    _source_file as source_file,
    _row_number as row_number,
    row_status,
    split_part(row_reason, '.', 1) as reason,
    nullif(split_part(row_reason, '.', 2), '') as field,
    {% if entity == 'transactions' %}amount{% else %}cast(null as decimal(18, 4)) as amount{% endif %}
from {{ ref('stg_' ~ entity ~ '_classified') }}
{{ 'union all' if not loop.last }}
{% endfor %}
