{{ config(materialized='table') }}
{{ classify_by_key(ref('stg_stock_levels_typed'), key=['product_id', 'date'], known_from='date') }}
