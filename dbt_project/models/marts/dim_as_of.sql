with as_of as (

    select * from {{ ref('stg_as_of') }}

),

settings as (

    select * from {{ ref('stg_source_settings') }}

),

transactions as (

    select coalesce(max(value_basis), 'net') as value_basis
    from {{ ref('fct_transactions') }}
    where customer_id is not null

)

select
    as_of.as_of_date,
    as_of.is_backfilled,
    settings.source_name,
    settings.timezone,
    settings.currency,
    transactions.value_basis
from as_of
cross join settings
cross join transactions
