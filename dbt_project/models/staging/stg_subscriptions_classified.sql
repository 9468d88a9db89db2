{{ config(materialized='table') }}
{{ classify_by_key(ref('stg_subscriptions_typed'), key='subscription_id', known_from='started_at') }}
