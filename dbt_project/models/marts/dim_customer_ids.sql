with customers as (

    select * from {{ ref('int_customers_seen') }}

),

settings as (

    select source_name from {{ ref('stg_source_settings') }}

)

select
    settings.source_name as source,
    customers.customer_id as source_customer_id,
    customers.customer_id
from customers
cross join settings
order by customers.customer_id
