-- CTE body: bands of a count, each (lowest, highest, label); `null` is no end.
{% macro bands(limits) -%}
    {% for lowest, highest, label in limits -%}
    select
        {{ lowest }} as lowest,
        {{ highest }} as highest,
        '{{ label }}' as label
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}

-- The bands in which purchases are counted: each number up to ten, wider ones beyond; the last has no end.
{% macro purchase_bands() -%}
    {{ bands([
        (1, 1, '1'), (2, 2, '2'), (3, 3, '3'), (4, 4, '4'), (5, 5, '5'), (6, 6, '6'), (7, 7, '7'), (8, 8, '8'),
        (9, 9, '9'), (10, 10, '10'), (11, 20, '11 to 20'), (21, 50, '21 to 50'), (51, 100, '51 to 100'),
        (101, 200, '101 to 200'), (201, 'null', '201 or more')
    ]) }}
{%- endmacro %}
