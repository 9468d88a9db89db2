{{ config(materialized='view') }}

with places as (

    select * from {{ ref('rpt_regions') }}
    where latitude is not null

),

features as (

    select
        {{ json_text({
            'type': "'Feature'",
            'geometry': {'type': "'Point'", 'coordinates': ['longitude', 'latitude']},
            'properties': {
                'level': 'level', 'country': 'country', 'region': 'region', 'city': 'city',
                'customer_count': 'customer_count', 'buyer_count': 'buyer_count',
                'transaction_count': 'transaction_count', 'net_amount': 'net_amount',
                'average_spend_amount': 'average_spend_amount'
            }
        }) }} as feature,
        row_number() over (order by level, country, region, city) as feature_number
    from places

)

select
    '{"type":"FeatureCollection","features":[' || {{ joined('feature', 'feature_number', between=',') }} || ']}'
        as geojson
from features
having count(*) > 0
