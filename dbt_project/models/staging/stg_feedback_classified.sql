{{ config(materialized='table') }}
{{ classify_by_key(ref('stg_feedback_typed'), key='feedback_id', known_from='created_at') }}
