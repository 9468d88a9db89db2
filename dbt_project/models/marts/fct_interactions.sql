with interactions as (

    select * from {{ ref('stg_interactions') }}

)

select
    customer_id,
    cast(row_number() over (
        partition by customer_id
        order by occurred_at, kind, channel nulls last, product_id nulls last, value nulls last
    ) as integer) as interaction_number,
    occurred_at,
    cast(occurred_at as date) as interaction_date,
    kind,
    channel,
    product_id,
    value
from interactions
order by customer_id, interaction_number
