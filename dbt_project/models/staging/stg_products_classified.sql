{{ config(materialized='table') }}
{{ classify_by_key(ref('stg_products_typed'), key='product_id') }}
