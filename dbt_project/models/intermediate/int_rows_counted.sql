{{ config(materialized='table') }}
with counted as (

    select
        entity,
        source_file,
        event_date,
        row_status,
        foreign_currency,
        count(*) as row_count,
        sum(amount) as amount,
        sum(original_amount) as original_amount
    from {{ ref('int_rows_classified') }}
    group by all
    union all by name
    -- Nothing is left of them but what they amounted to.
    select
        *,
        'erased' as row_status
    from {{ ref('stg_erased_rows') }}

)

{{ measures('counted', ['entity', 'source_file', 'event_date', 'row_status']) }}
