-- Counted from raw alone, so that the reconciliation compares two independent ways to the same total.
with counted as (

    {% for entity in ['transactions', 'customers', 'products', 'campaigns', 'campaign_contacts'] -%}
    select
        '{{ entity }}' as entity,
        count(*) as row_count,
        {% if entity == 'transactions' %}sum({{ as_money('amount') }}){% else %}null{% endif %} as amount
    from {{ source('raw', entity) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    entity,
    row_count,
    cast(amount as decimal(38, 4)) as amount
from counted
