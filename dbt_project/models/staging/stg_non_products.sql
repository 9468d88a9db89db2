select * from {{ source('raw', 'rule_non_products') }}
