{{ config(materialized='table') }}
{{ classify_by_key(ref('stg_exchange_rates_typed'), key=['date', 'currency'], known_from='date') }}
