-- What a double is above the mean of its group, exactly as exact_average: the same whatever the order of the rows.
{% macro exact_deviation(column, groups) -%}
    round({{ column }} - cast(sum(cast({{ column }} as decimal(38, 9))) over (partition by {{ groups }}) as double)
    / count(*) over (partition by {{ groups }}), 9)
{%- endmacro %}

-- The 97.5 % quantile of Student's t, from the normal one by Cornish and Fisher's expansion: within 0.01 from 9 degrees on.
{% macro t_quantile(degrees) -%}
    (1.959964 + 2.372271 / ({{ degrees }}) + 2.822499 / pow({{ degrees }}, 2) + 2.555851 / pow({{ degrees }}, 3))
{%- endmacro %}

-- CTEs that end in `deviations`: x and y of `relation` without what is special to each of the groups, which are taken out
-- in turns until no more of them is left.
{% macro without_effects(relation, keys, groups, rounds=5) -%}
{% for round in range(rounds) -%}
{% for columns in groups -%}
{% set step = groups | length * round + loop.index %}
{{ 'deviations' if step == groups | length * rounds else 'deviations_' ~ step }} as (

    select
        {{ keys | join(', ') }},
        {{ exact_deviation('y', columns) }} as y,
        {{ exact_deviation('x', columns) }} as x
    from {{ relation if step == 1 else 'deviations_' ~ (step - 1) }}

){{ ',' if step < groups | length * rounds }}
{% endfor -%}
{% endfor -%}
{%- endmacro %}
