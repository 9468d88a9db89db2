-- The text itself stays in the vault: only models read it, and only what they make of it is published.
with feedback as (

    select * from {{ ref('stg_feedback') }}

)

select
    feedback_id,
    customer_id,
    transaction_id,
    product_id,
    created_at,
    cast(created_at as date) as feedback_date,
    rating,
    channel
from feedback
order by feedback_id
