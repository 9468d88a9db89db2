-- From what was received to one type: the only casts of received values. A value that does not convert gives null,
-- and `not_castable` turns that into a counted rejection.

{% macro as_text(column) -%}
    nullif(trim(cast({{ column }} as string)), '')
{%- endmacro %}

-- Through text, so that a binary fraction such as 0.1 + 0.2 is the decimal that was meant; half rounds away from zero.
{% macro as_money(column) -%}
    {{ read_as('cast(' ~ column ~ ' as string)', 'decimal(18, 4)') }}
{%- endmacro %}

-- Ten places, so that yen or lira keep their digits; one unit of the currency in the reporting currency.
{% macro as_rate(column) -%}
    {{ read_as('cast(' ~ column ~ ' as string)', 'decimal(18, 10)') }}
{%- endmacro %}

-- An amount in the source's reporting currency: rounded once, half away from zero; null where there is no rate.
{% macro in_reporting_currency(amount, currency='currency', reporting_currency='reporting_currency', rate='rate') -%}
    case
        when {{ currency }} = {{ reporting_currency }} then {{ amount }}
        else try_cast(cast({{ amount }} as decimal(38, 4)) * {{ rate }} as decimal(18, 4))
    end
{%- endmacro %}

-- NaN and infinity are no measurements; NaN sorts above every number.
{% macro as_double(column) -%}
    case when abs({{ read_as(column, 'double') }}) < 1e300 then {{ read_as(column, 'double') }} end
{%- endmacro %}

{% macro as_date(column) -%}
    {{ in_calendar(read_as(column, 'date')) }}
{%- endmacro %}

-- The years that every reader of the tables knows: DuckDB alone has `infinity` and the year 294246.
{% macro in_calendar(moment) -%}
    case when extract(year from {{ moment }}) between 1 and 9999 then {{ moment }} end
{%- endmacro %}

{% macro as_boolean(column) -%}
    {{ read_as(column, 'boolean') }}
{%- endmacro %}

-- On the clock of the source's time zone: a value with an offset or a zone's name is converted (a plain cast would
-- drop either without a word), one without is on that clock already. Shops export `10:12:44 -0500`, with a space. What
-- came as a timestamp is one: a type is known before the rows are, so nothing else is looked at.
{% macro as_timestamp(column) -%}
    {%- set text = 'cast(' ~ column ~ ' as string)' -%}
    case
        when upper(typeof({{ column }})) in ('TIMESTAMP', 'TIMESTAMP_NTZ') then {{ in_calendar(read_as(column, 'timestamp')) }}
        when {{ matches(text, ':[0-9.]+ ?([A-Za-z]|[+-][0-9])') }}
            then {{ clock_of_zone("replace(replace(" ~ text ~ ", ' +', '+'), ' -', '-')", '_timezone') }}
        else {{ in_calendar(read_as(column, 'timestamp')) }}
    end
{%- endmacro %}

{% macro missing(column) -%}
    when {{ as_text(column) }} is null then 'missing_value.{{ column }}'
{%- endmacro %}

{% macro not_castable(column, typed) -%}
    when {{ as_text(column) }} is not null and {{ typed }} is null then 'invalid_value.{{ column }}'
{%- endmacro %}

{% macro content_hash(columns) -%}
    md5(concat_ws(chr(31)
        {%- for column in columns %}, coalesce(cast({{ column }} as string), chr(30)){% endfor %}))
{%- endmacro %}

-- A number that tells most contents apart, at a fifth of the cost; what shares one has to be looked at closer.
{% macro quick_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro provenance() -%}
    _source_file,
    _row_number,
    _is_excluded,
    _exclusion,
    _is_superseded
{%- endmacro %}
