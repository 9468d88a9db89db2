{{ config(materialized='table') }}
{{ classify_by_key(ref('stg_regressors_typed'), key=['date', 'name', 'region'], known_from='date') }}
