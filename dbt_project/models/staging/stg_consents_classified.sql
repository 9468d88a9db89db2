{{ config(materialized='table') }}
{{ classify_by_key(
    ref('stg_consents_typed'), key=['customer_id', 'purpose', 'effective_at'], known_from='effective_at'
) }}
