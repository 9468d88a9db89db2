with countries_traded as (

    select
        customer_id,
        max_by(country, {{ struct_of({'occurred_at': 'occurred_at', 'country': 'country'}) }}) as country
    from {{ ref('fct_transactions') }}
    where customer_id is not null and country is not null
    group by customer_id

),

counted as (

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

places as (

    -- Where nobody has a place there are no regions.
    select * from counted
    qualify bool_or(country <> 'unknown' or region <> 'unknown' or city <> 'unknown') over ()

),

{{ leaves_of_places() }},

levels as (

    select
        case grouping_id(country, region, city)
            when 0 then 'city'
            when 1 then 'region'
            when 3 then 'country'
            else 'all'
        end as level,
        coalesce(country, 'all') as country,
        coalesce(region, 'all') as region,
        coalesce(city, 'all') as city,
        coalesce(city, region, country, 'all') not in (
            'unknown', 'other places', 'other regions', 'other countries', 'all'
        ) as is_place,
        sum(customer_count) as customer_count,
        sum(buyer_count) as buyer_count,
        sum(transaction_count) as transaction_count,
        sum(net_amount) as net_amount,
        sum(x) as x,
        sum(y) as y,
        sum(z) as z
    from leaves
    group by rollup (country, region, city)
    having count(*) > 0

)

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
