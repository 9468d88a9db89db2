-- From what was received to one type: the only casts of received values. A value that does not convert gives null,
-- and `not_castable` turns that into a counted rejection.

{% macro as_text(column) -%}
    nullif(trim(cast({{ column }} as varchar)), '')
{%- endmacro %}

-- Through text, so that a binary fraction such as 0.1 + 0.2 is the decimal that was meant; half is rounded away from zero.
{% macro as_money(column) -%}
    try_cast(cast({{ column }} as varchar) as decimal(18, 4))
{%- endmacro %}

{% macro as_double(column) -%}
    try_cast({{ column }} as double)
{%- endmacro %}

{% macro as_date(column) -%}
    try_cast({{ column }} as date)
{%- endmacro %}

{% macro as_boolean(column) -%}
    try_cast({{ column }} as boolean)
{%- endmacro %}

-- On the clock of the source's time zone: a value with an offset is converted, one without is on that clock already.
{% macro as_timestamp(column) -%}
    case
        when regexp_matches(cast({{ column }} as varchar), ':[0-9.]+ ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$')
            then timezone(_timezone, try_cast({{ column }} as timestamptz))
        else try_cast({{ column }} as timestamp)
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
        {%- for column in columns %}, coalesce(cast({{ column }} as varchar), chr(30)){% endfor %}))
{%- endmacro %}

{% macro provenance() -%}
    _source_file,
    _row_number,
    _is_excluded,
    _is_superseded
{%- endmacro %}
