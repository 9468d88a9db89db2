{{ config(materialized='table') }}
{{ classify_by_key(ref('stg_campaigns_typed'), key='campaign_id', known_from='started_at') }}
