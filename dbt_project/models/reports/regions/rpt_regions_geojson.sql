{{ config(materialized='view') }}

with places as (

    select * from {{ ref('rpt_regions') }}
    where latitude is not null

),

features as (

    select
        json_object(
            'type', 'Feature',
            'geometry', json_object('type', 'Point', 'coordinates', [longitude, latitude]),
            'properties', json_object(
                'level', level, 'country', country, 'region', region, 'city', city, 'customer_count', customer_count,
                'buyer_count', buyer_count, 'transaction_count', transaction_count, 'net_amount', net_amount,
                'average_spend_amount', average_spend_amount
            )
        ) as feature,
        row_number() over (order by level, country, region, city) as feature_number
    from places

)

select
    cast(json_object(
        'type', 'FeatureCollection', 'features', list(feature order by feature_number)
    ) as varchar) as geojson
from features
having count(*) > 0
