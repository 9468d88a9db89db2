-- Mean and variance of money, from sums that are exact.
{% macro mean(column) -%} cast(sum({{ column }}) as double) / nullif(count({{ column }}), 0) {%- endmacro %}

{% macro variance(column) -%}
    greatest(
        cast(sum({{ column }} * {{ column }}) as double) - pow(cast(sum({{ column }}) as double), 2) / count({{ column }}), 0
    ) / nullif(count({{ column }}) - 1, 0)
{%- endmacro %}

-- An end of the 95 % interval of a share (Wilson 1927), which holds for small counts as well.
{% macro wilson(count, total, sign) -%}
    round(greatest(0, least(1, (
        {{ count }} + 1.920729 {{ sign }} 1.959964 * sqrt(
            cast({{ count }} as double) * ({{ total }} - {{ count }}) / nullif({{ total }}, 0) + 0.960365
        )
    ) / nullif({{ total }} + 3.841459, 0))), 9)
{%- endmacro %}
