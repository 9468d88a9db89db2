with permissions as (

    select * from {{ ref('dim_customer_permissions') }}

)

{% for purpose in ['analytics', 'marketing', 'profiling'] -%}
select
    '{{ purpose }}' as purpose,
    count(*) as customer_count,
    count(*) filter (where not is_{{ purpose }}_allowed) as withheld_count,
    count(*) filter (where is_{{ purpose }}_allowed) as allowed_count
from permissions
{{ 'union all' if not loop.last }}
{% endfor -%}
order by purpose
