{% set statuses = ['accepted', 'rejected', 'excluded', 'repeated', 'superseded', 'erased'] %}

with classified as (

    select * from {{ ref('int_rows_classified') }}

),

received as (

    select
        entity,
        'rows' as measure,
        cast(row_count as decimal(38, 4)) as received
    from {{ ref('stg_received') }}
    union all
    select
        entity,
        'amount' as measure,
        amount as received
    from {{ ref('stg_received') }}
    where amount is not null

),

measured as (

    select
        entity,
        row_status,
        'rows' as measure,
        cast(count(*) as decimal(38, 4)) as total
    from classified
    group by entity, row_status
    union all
    select
        entity,
        row_status,
        'amount' as measure,
        sum(amount) as total
    from classified
    group by entity, row_status

),

pivoted as (

    select
        entity,
        {% for status in statuses -%}
        cast(coalesce(sum(total) filter (where row_status = '{{ status }}'), 0) as decimal(38, 4)) as {{ status }},
        {% endfor -%}
        measure
    from measured
    group by entity, measure

)

select
    received.entity,
    received.measure,
    received.received,
    {% for status in statuses -%}
    cast(coalesce(pivoted.{{ status }}, 0) as decimal(38, 4)) as {{ status }},
    {% endfor %}
    cast(received.received - coalesce(
        pivoted.accepted + pivoted.rejected + pivoted.excluded + pivoted.repeated + pivoted.superseded
        + pivoted.erased, 0
    ) as decimal(38, 4)) as difference
from received
left join pivoted on received.entity = pivoted.entity and received.measure = pivoted.measure
order by received.entity, received.measure
