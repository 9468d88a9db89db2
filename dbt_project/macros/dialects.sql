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

-- Contracts name types in DuckDB's words.
{% macro spark__cast(field, type) -%}
    cast({{ field }} as {{ {'varchar': 'string', 'hugeint': 'bigint'}.get(type, type) }})
{%- endmacro %}

-- A division of whole numbers that drops the rest.
{% macro quotient(number, divisor) %}{{ adapter.dispatch('quotient')(number, divisor) }}{% endmacro %}
{% macro duckdb__quotient(number, divisor) %}(({{ number }}) // {{ divisor }}){% endmacro %}
{% macro spark__quotient(number, divisor) %}(({{ number }}) div {{ divisor }}){% endmacro %}

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
