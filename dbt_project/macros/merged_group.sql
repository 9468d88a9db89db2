-- No table tells of fewer people than this.
{% macro smallest_group() -%} {{ var('smallest_group', 11) }} {%- endmacro %}

-- A figure about people, unless it is that of a few; what nobody did may be told.
{% macro unless_few(count, value) -%}
case when {{ count }} = 0 or {{ count }} >= {{ smallest_group() }} then {{ value }} end
{%- endmacro %}

-- Whether any of these counts is that of a few.
{% macro is_small(counts) -%}
{% for count in counts -%}
coalesce({{ count }} between 1 and {{ smallest_group() }} - 1, false) {{ 'or ' if not loop.last }}
{%- endfor %}
{%- endmacro %}

-- The last part of a report whose cells of few people are empty: their money together, in a row without names.
{% macro money_of_hidden(nulls, amounts) -%}
union all
select
    {% for name in nulls -%} null as {{ name }}, {% endfor %}
    {% for name in amounts -%}
    cast(sum({{ name }}) as decimal(38, 4)) as {{ name }}{{ ',' if not loop.last }}
    {% endfor -%}
from cells
where is_hidden
having count(*) > 0
{%- endmacro %}

-- As is_merged, among groups of which some may hold nobody: these stay as they are.
{% macro is_hidden(count, key, parent=none) -%}
    {{ count }} > 0 and ({{ is_merged('nullif(' ~ count ~ ', 0)', key, parent=parent) }})
{%- endmacro %}

-- CTEs that end in `leaves`: the `places` that are large enough, the others merged. Buyers decide, who are never more than the
-- customers: money must not be that of a few.
{% macro leaves_of_places() -%}
{% for level, key, parent in [
    ('countries', 'country', none), ('regions', 'region', 'country'), ('cities', 'city', 'country, region')
] -%}
{{ level }} as (

    select
        {{ parent ~ ', ' if parent }}{{ key }},
        {{ is_merged('sum(buyer_count)', key, parent=parent) }} as is_merged
    from places
    group by {{ parent ~ ', ' if parent }}{{ key }}

),

{% endfor -%}
leaves as (

    -- Every row is a sum of leaves, and every leaf is large enough: so is whatever one row less others can be.
    select
        case when countries.is_merged then 'other countries' else places.country end as country,
        case when countries.is_merged or regions.is_merged then 'other regions' else places.region end as region,
        case
            when countries.is_merged or regions.is_merged or cities.is_merged then 'other places' else places.city
        end as city,
        sum(places.customer_count) as customer_count,
        sum(places.buyer_count) as buyer_count,
        sum(places.transaction_count) as transaction_count,
        sum(places.net_amount) as net_amount,
        -- A centre is told, and goes into that of larger places, where enough people have coordinates.
        sum(places.located_count) >= {{ smallest_group() }} as is_located,
        case when is_located then sum(places.x) end as x,
        case when is_located then sum(places.y) end as y,
        case when is_located then sum(places.z) end as z
    from places
    inner join countries on places.country = countries.country
    inner join regions on places.country = regions.country and places.region = regions.region
    inner join cities
        on places.country = cities.country and places.region = cities.region and places.city = cities.city
    group by all
    having sum(places.buyer_count) >= {{ smallest_group() }}

)
{%- endmacro %}
