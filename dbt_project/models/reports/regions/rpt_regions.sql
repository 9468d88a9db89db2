with countries_traded as (

    select
        customer_id,
        max(struct_pack(occurred_at := occurred_at, country := country)).country as country
    from {{ ref('fct_transactions') }}
    where customer_id is not null and country is not null
    group by customer_id

),

places as (

    select
        coalesce(customers.country, countries_traded.country, 'unknown') as country,
        coalesce(customers.region, 'unknown') as region,
        coalesce(customers.city, 'unknown') as city,
        count(*) as customer_count,
        count(*) filter (where customers.purchase_count > 0) as buyer_count,
        sum(customers.transaction_count) as transaction_count,
        sum(customers.net_amount) as net_amount,
        count(*) filter (where {{ is_located('customers.latitude', 'customers.longitude') }}) as located_count,
        {{ vector_sum('customers.latitude', 'customers.longitude') }}
    from {{ ref('dim_customers') }} as customers
    left join countries_traded on customers.customer_id = countries_traded.customer_id
    group by all

),

-- Buyers decide, who are never more than the customers: money must not be that of a few.
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
        {% for measure in ['customer_count', 'buyer_count', 'transaction_count', 'net_amount'] -%}
        sum(places.{{ measure }}) as {{ measure }},
        {% endfor -%}
        -- A centre is told, and goes into that of larger places, where enough people have coordinates.
        {% for axis in 'xyz' -%}
        case when sum(places.located_count) >= {{ smallest_group() }} then sum(places.{{ axis }}) end as {{ axis }}
        {{- ',' if not loop.last }}
        {% endfor %}
    from places
    inner join countries using (country)
    inner join regions using (country, region)
    inner join cities using (country, region, city)
    group by all
    having sum(places.buyer_count) >= {{ smallest_group() }}

),

levels as (

    select
        case grouping(country, region, city)
            when 0 then 'city'
            when 1 then 'region'
            when 3 then 'country'
            else 'all'
        end as level,
        coalesce(country, 'all') as country,
        coalesce(region, 'all') as region,
        coalesce(city, 'all') as city,
        coalesce(city, region, country, 'all')
            not in ('unknown', 'other places', 'other regions', 'other countries', 'all') as is_place,
        {% for measure in ['customer_count', 'buyer_count', 'transaction_count', 'net_amount', 'x', 'y', 'z'] -%}
        sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from leaves
    where exists (select 1 from places where country <> 'unknown' or region <> 'unknown' or city <> 'unknown')
    group by rollup (leaves.country, leaves.region, leaves.city)
    having count(*) > 0

),

select
    level,
    country,
    region,
    city,
    cast(customer_count as bigint) as customer_count,
    cast(buyer_count as bigint) as buyer_count,
    cast(transaction_count as bigint) as transaction_count,
    cast(net_amount as decimal(38, 4)) as net_amount,
    round(cast(net_amount as double) / buyer_count, 4) as average_spend_amount,
    case when is_place then {{ centre_latitude() }} end as latitude,
    case when is_place then {{ centre_longitude() }} end as longitude
from levels
order by level, country, region, city
