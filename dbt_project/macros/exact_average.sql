-- The mean of a double as a ratio of exact numbers: a sum of doubles changes its last digit with the order of the rows.
{% macro exact_average(column) -%}
    cast(sum(cast({{ column }} as decimal(38, 9))) as double) / nullif(count({{ column }}), 0)
{%- endmacro %}
