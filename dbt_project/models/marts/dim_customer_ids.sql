with customers as (

    select * from {{ ref('int_customers_seen') }}

),

received as (

    select distinct source_name from {{ ref('stg_received') }}

)

select
    received.source_name as source,
    customers.customer_id as source_customer_id,
    customers.customer_id
from customers
cross join received
order by customers.customer_id
