-- Not split_part: DuckDB 2.0 fails on a filter over it where every value is null.
{% for entity in entities().split() -%}
select
    '{{ entity }}' as entity,
    _source_file as source_file,
    _row_number as row_number,
    cast({{ event_day(entity) }} as date) as event_date,
    row_status,
    regexp_extract(row_reason, '^[^.]*', 0) as reason,
    nullif(regexp_extract(row_reason, '[.](.*)', 1), '') as field,
    {% if entity == 'transactions' -%}
    amount,
    nullif(original_currency, currency) as foreign_currency,
    original_amount
    {%- else -%}
    cast({{ money_column(entity) or 'null' }} as decimal(18, 4)) as amount,
    cast(null as string) as foreign_currency,
    cast(null as decimal(18, 4)) as original_amount
    {%- endif %}
from {{ ref('stg_' ~ entity ~ '_classified') }}
{{ 'union all' if not loop.last }}
{% endfor %}
