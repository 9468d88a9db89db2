-- The text itself stays in the vault: only models read it, and only what they make of it is published.
with feedback as (

    select * from {{ ref('stg_feedback') }}

),

settings as (

    select satisfied_from from {{ ref('stg_source_settings') }}

)

select
    feedback.feedback_id,
    feedback.customer_id,
    feedback.transaction_id,
    feedback.product_id,
    feedback.created_at,
    cast(feedback.created_at as date) as feedback_date,
    feedback.rating,
    feedback.rating >= settings.satisfied_from as is_satisfied,
    feedback.channel
from feedback
cross join settings
order by feedback.feedback_id
