-- All that DuckDB and Spark say in different words: everything else in the project is SQL that both understand alike.
-- A model calls the macro, its form for each engine stands below; tests/test_portable_sql.py keeps the words themselves out.

-- `select * except (…)`.
{% macro except() %}{{ adapter.dispatch('except')() }}{% endmacro %}
{% macro duckdb__except() %}exclude{% endmacro %}
{% macro spark__except() %}except{% endmacro %}

-- Whole days from one date to another.
{% macro days_between(first, last) %}{{ adapter.dispatch('days_between')(first, last) }}{% endmacro %}
{% macro duckdb__days_between(first, last) %}date_diff('day', {{ first }}, {{ last }}){% endmacro %}
{% macro spark__days_between(first, last) %}date_diff(day, {{ first }}, {{ last }}){% endmacro %}

-- How often a month begins between two dates.
{% macro months_between_starts(first, last) %}{{ adapter.dispatch('months_between_starts')(first, last) }}{% endmacro %}
{% macro duckdb__months_between_starts(first, last) %}date_diff('month', {{ first }}, {{ last }}){% endmacro %}
{% macro spark__months_between_starts(first, last) -%}
    cast(12 * (year({{ last }}) - year({{ first }})) + month({{ last }}) - month({{ first }}) as bigint)
{%- endmacro %}

-- 1 is Monday.
{% macro weekday_number(day) %}{{ adapter.dispatch('weekday_number')(day) }}{% endmacro %}
{% macro duckdb__weekday_number(day) %}cast(isodow({{ day }}) as integer){% endmacro %}
{% macro spark__weekday_number(day) %}(weekday({{ day }}) + 1){% endmacro %}

{% macro weekday_name(day) %}{{ adapter.dispatch('weekday_name')(day) }}{% endmacro %}
{% macro duckdb__weekday_name(day) %}dayname({{ day }}){% endmacro %}
{% macro spark__weekday_name(day) %}date_format({{ day }}, 'EEEE'){% endmacro %}

-- What the clock shows, to be compared alone: Spark has no such type outside a preview.
{% macro time_of_day(moment) %}{{ adapter.dispatch('time_of_day')(moment) }}{% endmacro %}
{% macro duckdb__time_of_day(moment) %}cast({{ moment }} as time){% endmacro %}
{% macro spark__time_of_day(moment) %}({{ moment }} - cast(cast({{ moment }} as date) as timestamp)){% endmacro %}

-- The clock of a zone at the moment that a text with an offset or a zone's name means.
{% macro clock_of_zone(text, zone) %}{{ adapter.dispatch('clock_of_zone')(text, zone) }}{% endmacro %}
{% macro duckdb__clock_of_zone(text, zone) %}timezone({{ zone }}, {{ in_calendar('try_cast(' ~ text ~ ' as timestamptz)') }}){% endmacro %}
{% macro spark__clock_of_zone(text, zone) -%}
    cast(from_utc_timestamp({{ in_calendar(read_as(text, 'timestamp_ltz')) }}, {{ zone }}) as timestamp)
{%- endmacro %}

{% macro begins_with(text, beginning) %}{{ adapter.dispatch('begins_with')(text, beginning) }}{% endmacro %}
{% macro duckdb__begins_with(text, beginning) %}starts_with({{ text }}, {{ beginning }}){% endmacro %}
{% macro spark__begins_with(text, beginning) %}startswith({{ text }}, {{ beginning }}){% endmacro %}

{% macro matches(text, pattern) %}{{ adapter.dispatch('matches')(text, pattern) }}{% endmacro %}
{% macro duckdb__matches(text, pattern) %}regexp_matches({{ text }}, '{{ pattern }}'){% endmacro %}
{% macro spark__matches(text, pattern) %}regexp_like({{ text }}, '{{ pattern }}'){% endmacro %}

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
{% macro middle(value, over='') %}{{ adapter.dispatch('middle')(value, over) }}{% endmacro %}
{% macro duckdb__middle(value, over) %}quantile_disc({{ value }}, 0.5) {{ over }}{% endmacro %}
{% macro spark__middle(value, over) -%}
    get(array_sort(array_agg({{ value }}) {{ over }}), cast(ceil(count({{ value }}) {{ over }} / 2) as integer) - 1)
{%- endmacro %}

-- Contracts name types in DuckDB's words.
{% macro spark__cast(field, type) -%}
    cast({{ field }} as {{ {'varchar': 'string', 'hugeint': 'bigint'}.get(type, type) }})
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

-- A division of whole numbers that drops the rest.
{% macro quotient(number, divisor) %}{{ adapter.dispatch('quotient')(number, divisor) }}{% endmacro %}
{% macro duckdb__quotient(number, divisor) %}(({{ number }}) // {{ divisor }}){% endmacro %}
{% macro spark__quotient(number, divisor) %}(({{ number }}) div {{ divisor }}){% endmacro %}

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

-- A received value as a type, null if it is none: what DuckDB takes for one is what counts. Spark would also take `2020` and
-- `now` for days, `1f` for a number and blanks around a truth, but neither 2020/01/31 nor 1_000.
{% macro read_as(value, type) %}{{ adapter.dispatch('read_as')(value, type) }}{% endmacro %}
{% macro duckdb__read_as(value, type) %}try_cast({{ value }} as {{ type }}){% endmacro %}
{% macro spark__read_as(value, type) -%}
    {%- set text = 'cast(' ~ value ~ ' as string)' -%}
    {%- if type in ('date', 'timestamp', 'timestamp_ltz') -%}
        try_cast(case
            when regexp_like({{ text }}, '^ *[0-9]{1,5}[-/][0-9]{1,2}[-/][0-9]{1,2}([ T].*:.*)? *$')
                then regexp_replace({{ text }}, '^( *[0-9]+)/([0-9]+)/', '$1-$2-')
        end as {{ type }})
    {%- elif type == 'boolean' -%} try_cast(case when {{ text }} = trim({{ text }}) then {{ text }} end as boolean)
    {%- else -%}
        try_cast(case
            when not regexp_like({{ text }}, '[fFdD] *$') then regexp_replace({{ text }}, '([0-9])_([0-9])', '$1$2')
        end as {{ type }})
    {%- endif -%}
{%- endmacro %}
