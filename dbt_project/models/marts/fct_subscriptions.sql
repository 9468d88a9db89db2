with subscriptions as (

    select * from {{ ref('stg_subscriptions') }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

)

select
    subscriptions.subscription_id,
    subscriptions.customer_id,
    subscriptions.started_at,
    -- An end that lies ahead is not known on that day: a past day must not foresee who left.
    case
        when cast(subscriptions.ended_at as date) <= as_of.as_of_date then subscriptions.ended_at
    end as ended_at,
    subscriptions.plan,
    subscriptions.monthly_amount,
    coalesce(cast(subscriptions.ended_at as date) > as_of.as_of_date, true) as is_active
from subscriptions
cross join as_of
order by subscriptions.customer_id nulls last, subscriptions.subscription_id
