{{ config(materialized='table') }}
-- depends_on: {{ ref('stg_as_of') }}, {{ ref('stg_products') }}
{% set increment = var('increment', none) %}
{% if increment is none %}
-- Everything is built whole, and nobody asks.
select cast(null as string) as transaction_id
from {{ source('raw', 'source_settings') }}
where false
{% else %}
-- `staging.stg_transactions_classified` and `marts.dim_products` are still those of the last run.
with delivered as (

    select distinct {{ as_text('transaction_id') }} as transaction_id
    from {{ source('raw', 'transactions') }}
    where {{ is_one_of('_received_at', increment.deliveries, type='timestamp') }}

),

products as (

    select coalesce(old.product_id, new.product_id) as product_id
    from marts.dim_products as old
    full join {{ ref('stg_products') }} as new on old.product_id = new.product_id
    where {{ increment.has_new_products }} and old.unit_cost_amount is distinct from new.unit_cost_amount

),

standing as (

    select distinct lines.transaction_id
    from staging.stg_transactions_classified as lines
    cross join {{ ref('stg_as_of') }} as as_of
    where
        -- The day has moved: forward, and what waited may count; or back, and what counted may have to wait.
        lines.row_reason = 'after_as_of'
        or cast(lines.occurred_at as date) > as_of.as_of_date
        or cast(lines.updated_at as date) > as_of.as_of_date
        -- Rows of these files may have gone, or have been delivered anew.
        or {{ is_one_of('lines._source_file', increment.files) }}
        or ({{ increment.has_new_exchange_rates }} and lines.original_currency <> lines.currency)
        or lines.product_id in (select products.product_id from products)

)

select transaction_id from delivered
where transaction_id is not null
union
select transaction_id from standing
where transaction_id is not null
{% endif %}
