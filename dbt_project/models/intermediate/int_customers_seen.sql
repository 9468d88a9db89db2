-- Everyone with a profile, a transaction or a campaign contact; guests have no id and are nobody here.
with seen as (

    select customer_id from {{ ref('stg_customers') }}
    union
    select customer_id from {{ ref('stg_transactions') }}
    where customer_id is not null
    union
    select customer_id from {{ ref('stg_campaign_contacts') }}

)

select customer_id from seen
