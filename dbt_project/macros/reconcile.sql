-- Rows, money in the reporting currency, and money in each other currency as received, as one long table.
{% macro measures(relation, keys) %}
    {%- for measure, total in [
        ("'rows'", 'row_count'), ("'amount'", 'amount'), ("'amount_' || lower(foreign_currency)", 'original_amount')
    ] %}
    select
        {{ keys | join(', ') }},
        {{ measure }} as measure,
        cast({{ total }} as decimal(38, 4)) as total
    from {{ relation }}
    where {{ total }} is not null and {{ measure }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{% endmacro %}

-- What was received beside what became of it, per entity, measure and the columns given.
{% macro reconcile(by=[]) %}
{%- set statuses = ['accepted', 'rejected', 'excluded', 'repeated', 'superseded', 'erased'] %}
{%- set keys = ['entity'] + by + ['measure'] %}
with received as (

    select
        {{ keys | join(', ') }},
        sum(total) as total
    from {{ ref('stg_received') }}
    {% if by %}where source_file is not null{% endif %}
    group by all

),

classified as (

    select
        {{ keys | join(', ') }},
        {%- for status in statuses %}
        sum(total) filter (where row_status = '{{ status }}') as {{ status }},
        {%- endfor %}
        sum(total) as total
    from {{ ref('int_rows_counted') }}
    group by all

)

select
    {%- for key in keys %}
    coalesce(received.{{ key }}, classified.{{ key }}) as {{ key }},
    {%- endfor %}
    cast(coalesce(received.total, 0) as decimal(38, 4)) as received,
    {%- for status in statuses %}
    cast(coalesce(classified.{{ status }}, 0) as decimal(38, 4)) as {{ status }},
    {%- endfor %}
    cast(coalesce(received.total, 0) - coalesce(classified.total, 0) as decimal(38, 4)) as difference
from received
full join classified
    on {% for key in keys %}received.{{ key }} is not distinct from classified.{{ key }}
    {{- ' and ' if not loop.last }}{% endfor %}
order by {{ range(1, keys | length + 1) | join(', ') }}
{% endmacro %}
