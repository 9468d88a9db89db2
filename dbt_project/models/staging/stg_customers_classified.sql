{{ config(materialized='table') }}
{{ classify_by_key(ref('stg_customers_typed'), key='customer_id', known_from='created_at') }}
