with customers as (

    select customer_id from {{ ref('dim_customers') }}

),

latest as (

    -- Each purpose's latest word up to the as-of date; silence is null.
    select
        customer_id,
        bool_and(is_granted) filter (where purpose = 'analytics') as has_granted_analytics,
        bool_and(is_granted) filter (where purpose = 'profiling') as has_granted_profiling,
        bool_and(is_granted) filter (where purpose = 'marketing') as has_granted_marketing
    from {{ ref('fct_consents') }}
    where is_current
    group by customer_id

),

answered as (

    select
        customers.customer_id,
        coalesce(latest.has_granted_analytics, not settings.is_consent_required) as is_analytics_allowed,
        coalesce(latest.has_granted_profiling, not settings.is_consent_required) as is_profiling_allowed,
        coalesce(latest.has_granted_marketing, not settings.is_consent_required) as is_marketing_allowed
    from customers
    cross join {{ ref('stg_source_settings') }} as settings
    left join latest on customers.customer_id = latest.customer_id

)

select
    customer_id,
    is_analytics_allowed,
    -- Nobody is profiled without being analysed.
    is_analytics_allowed and is_profiling_allowed as is_profiling_allowed,
    is_marketing_allowed
from answered
order by customer_id
