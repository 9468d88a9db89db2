{{ config(post_hook="{{ add_declared_attributes(this, ref('stg_customers'), 'customer_id') }}") }}

with seen as (

    select * from {{ ref('int_customers_seen') }}

),

profiles as (

    select * from {{ ref('stg_customers') }}

),

transactions as (

    select
        customer_id,
        min(transaction_date) as first_transaction_date,
        max(transaction_date) as last_transaction_date,
        min(transaction_date) filter (where is_purchase) as first_purchase_date,
        max(transaction_date) filter (where is_purchase) as last_purchase_date,
        count(*) as transaction_count,
        count(*) filter (where is_purchase) as purchase_count,
        sum(net_amount) as net_amount
    from {{ ref('fct_transactions') }}
    where customer_id is not null
    group by customer_id

)

select
    seen.customer_id,
    transactions.first_transaction_date,
    transactions.last_transaction_date,
    transactions.first_purchase_date,
    transactions.last_purchase_date,
    coalesce(transactions.transaction_count, 0) as transaction_count,
    coalesce(transactions.purchase_count, 0) as purchase_count,
    cast(coalesce(transactions.net_amount, 0) as decimal(18, 4)) as net_amount,
    profiles.customer_id is not null as has_profile,
    profiles.created_at,
    profiles.birth_date,
    profiles.age_band,
    profiles.gender,
    profiles.income_band,
    profiles.household_size,
    profiles.city,
    profiles.region,
    profiles.postal_code,
    profiles.country,
    profiles.latitude,
    profiles.longitude,
    profiles.acquisition_channel,
    profiles.acquisition_cost_amount
from seen
left join profiles on seen.customer_id = profiles.customer_id
left join transactions on seen.customer_id = transactions.customer_id
order by seen.customer_id
