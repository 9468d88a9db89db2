with consents as (

    select * from {{ ref('stg_consents') }}

)

select
    customer_id,
    purpose,
    effective_at,
    granted as is_granted,
    -- A statement without a date holds until a dated one is made.
    row_number() over (partition by customer_id, purpose order by effective_at desc nulls last) = 1 as is_current
from consents
order by customer_id, purpose, effective_at nulls first
