-- What DuckDB and Spark say in different words of lists, windows and documents; the rest is in `dialects.sql`.

-- One row per element of a list, per number, per day; in the select list.
{% macro each(list) %}{{ adapter.dispatch('each')(list) }}{% endmacro %}
{% macro duckdb__each(list) %}unnest({{ list }}){% endmacro %}
{% macro spark__each(list) %}explode({{ list }}){% endmacro %}

{% macro each_number(first, last) %}{{ adapter.dispatch('each_number')(first, last) }}{% endmacro %}
{% macro duckdb__each_number(first, last) %}unnest(generate_series({{ first }}, {{ last }})){% endmacro %}
{% macro spark__each_number(first, last) %}explode(sequence({{ first }}, {{ last }})){% endmacro %}

{% macro each_day(first, last) %}{{ adapter.dispatch('each_day')(first, last) }}{% endmacro %}
{% macro duckdb__each_day(first, last) %}cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date){% endmacro %}
{% macro spark__each_day(first, last) -%}
    explode(case when {{ first }} <= {{ last }} then sequence({{ first }}, {{ last }}) end)
{%- endmacro %}

-- Texts of a group as one, in an order; of rows that meet a condition.
{% macro joined(text, order_by, between=' ', among='true') -%}
    {{ adapter.dispatch('joined')(text, order_by, between, among) }}
{%- endmacro %}
{% macro duckdb__joined(text, order_by, between, among) -%}
    string_agg({{ text }}, '{{ between }}' order by {{ order_by }}) filter (where {{ among }})
{%- endmacro %}
{% macro spark__joined(text, order_by, between, among) -%}
    listagg({{ text }}, '{{ between }}') within group (order by {{ order_by }}) filter (where {{ among }})
{%- endmacro %}

-- The middle value of any type, the lower of two: no value that did not occur.
{% macro middle(value) %}{{ adapter.dispatch('middle')(value) }}{% endmacro %}
{% macro duckdb__middle(value) %}quantile_disc({{ value }}, 0.5){% endmacro %}
{% macro spark__middle(value) -%}
    get(array_sort(array_agg({{ value }})), cast(ceil(count({{ value }}) / 2) as integer) - 1)
{%- endmacro %}

-- One row per text of a list written out here; the n-th of such a list, from 1.
{% macro each_of(values) %}{{ adapter.dispatch('each_of')(values) }}{% endmacro %}
{% macro duckdb__each_of(values) %}unnest({{ values }}){% endmacro %}
{% macro spark__each_of(values) %}explode({{ array_of(values) }}){% endmacro %}

{% macro nth(values, number) %}{{ adapter.dispatch('nth')(values, number) }}{% endmacro %}
{% macro duckdb__nth(values, number) %}{{ values }}[{{ number }}]{% endmacro %}
{% macro spark__nth(values, number) %}get({{ array_of(values) }}, {{ number }} - 1){% endmacro %}

{% macro array_of(values) -%}
    array({% for value in values %}{{ "'" ~ value ~ "'" if value is string else value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro length_of(list) %}{{ adapter.dispatch('length_of')(list) }}{% endmacro %}
{% macro duckdb__length_of(list) %}len({{ list }}){% endmacro %}
{% macro spark__length_of(list) %}size({{ list }}){% endmacro %}

-- The text at a path of a JSON document.
{% macro text_in(document, path) %}{{ adapter.dispatch('text_in')(document, path) }}{% endmacro %}
{% macro duckdb__text_in(document, path) %}{{ document }} ->> '{{ path }}'{% endmacro %}
{% macro spark__text_in(document, path) %}get_json_object({{ document }}, '{{ path }}'){% endmacro %}

-- A JSON document as text: keys with SQL expressions, lists of them, or documents again.
{% macro json_text(document) %}{{ adapter.dispatch('json_text')(document) }}{% endmacro %}
{% macro duckdb__json_text(document) %}cast({{ json_object(document) }} as string){% endmacro %}
{% macro json_object(document) -%}
    {%- if document is mapping -%}
        json_object({% for key, value in document.items() %}'{{ key }}', {{ json_object(value) }}{{ ', ' if not loop.last }}{% endfor %})
    {%- else -%} {{ document if document is string else '[' ~ document | join(', ') ~ ']' }}
    {%- endif -%}
{%- endmacro %}
{% macro spark__json_text(document) %}to_json({{ named_struct(document) }}, map('ignoreNullFields', 'false')){% endmacro %}
{% macro named_struct(document) -%}
    {%- if document is mapping -%}
        named_struct({% for key, value in document.items() %}'{{ key }}', {{ named_struct(value) }}{{ ', ' if not loop.last }}{% endfor %})
    {%- else -%} {{ document if document is string else 'array(' ~ document | join(', ') ~ ')' }}
    {%- endif -%}
{%- endmacro %}

-- Several values as one, by name; compared from the first to the last.
{% macro struct_of(fields) %}{{ adapter.dispatch('struct_of')(fields) }}{% endmacro %}
{% macro duckdb__struct_of(fields) -%}
    struct_pack({% for name, value in fields.items() %}{{ name }} := {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro spark__struct_of(fields) %}{{ named_struct(fields) }}{% endmacro %}

-- The last and the first value of a window that is there; `over (...)` follows.
{% macro last_known(value) %}{{ adapter.dispatch('last_known')(value) }}{% endmacro %}
{% macro duckdb__last_known(value) %}last_value({{ value }} ignore nulls){% endmacro %}
{% macro spark__last_known(value) %}last_value({{ value }}, true){% endmacro %}

{% macro first_known(value) %}{{ adapter.dispatch('first_known')(value) }}{% endmacro %}
{% macro duckdb__first_known(value) %}first_value({{ value }} ignore nulls){% endmacro %}
{% macro spark__first_known(value) %}first_value({{ value }}, true){% endmacro %}
