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
    union all
    -- Nothing is left of them but what they amounted to.
    select
        entity,
        source_file,
        cast(null as date) as event_date,
        'erased' as row_status,
        foreign_currency,
        row_count,
        amount,
        original_amount
    from {{ ref('stg_erased_rows') }}

)

{{ measures('counted', ['entity', 'source_file', 'event_date', 'row_status']) }}
