-- What a run has to look at, where it builds on the tables of the last one: orchestration/dbt/increments.py says when.

-- Whether this incremental model adds to the table that is there.
{% macro is_increment() -%}
    {{ return(var('increment', none) is not none and is_incremental()) }}
{%- endmacro %}

-- Whether a row's transaction has to be looked at again.
{% macro touched(transaction_id) -%}
    ({{ transaction_id }} is null or {{ transaction_id }} in (select transaction_id from {{ ref('stg_transactions_touched') }}))
{%- endmacro %}

-- Leaves the rows to be looked at of an incremental model: all of them, where it is built whole.
{% macro where_touched(transaction_id) -%}
    {%- if is_increment() %}where {{ touched(transaction_id) }}{% endif -%}
{%- endmacro %}

{% macro is_one_of(value, names, type='string') -%}
    {{ value }} in (cast(null as {{ type }}) {%- for name in names %}, cast('{{ name | replace("'", "''") }}' as {{ type }}){% endfor %})
{%- endmacro %}
