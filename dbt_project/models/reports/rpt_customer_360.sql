with customers as (

    select * from {{ ref('dim_customers') }}

),

features as (

    select * from {{ source('ml', 'customer_features') }}

),

segments as (

    select
        customer_id,
        min(segment) filter (where strategy = 'rfm') as rfm_segment,
        min(segment) filter (where strategy = 'lifecycle') as lifecycle_segment,
        min(segment) filter (where strategy = 'value') as value_segment,
        min(segment) filter (where strategy = 'behavioural') as behavioural_segment,
        min(segment) filter (where strategy = 'demographic') as demographic_segment,
        min(segment) filter (where strategy = 'geographic') as geographic_segment
    from {{ source('ml', 'customer_segments') }}
    group by customer_id

),

churn as (

    select * from {{ source('ml', 'churn_scores') }}

),

main_reasons as (

    select
        customer_id,
        feature
    from {{ source('ml', 'churn_reasons') }}
    where rank = 1

),

shortest_horizon as (

    select min(horizon_days) as horizon_days from {{ source('ml', 'clv_predictions') }}

),

clv as (

    select predictions.* from {{ source('ml', 'clv_predictions') }} as predictions
    inner join shortest_horizon on predictions.horizon_days = shortest_horizon.horizon_days

)

select
    customers.customer_id,
    as_of.as_of_date,
    permissions.is_marketing_allowed,
    segments.rfm_segment,
    segments.lifecycle_segment,
    segments.value_segment,
    segments.behavioural_segment,
    segments.demographic_segment,
    segments.geographic_segment,
    churn.churn_probability,
    churn.risk_band,
    churn.horizon_days as churn_horizon_days,
    main_reasons.feature as churn_main_reason,
    clv.expected_amount,
    clv.expected_amount_p10,
    clv.expected_amount_p90,
    clv.expected_transaction_count,
    clv.horizon_days as clv_horizon_days,
    customers.first_purchase_date,
    customers.last_purchase_date,
    customers.transaction_count,
    customers.net_amount,
    features.recency_days,
    features.frequency_count,
    features.tenure_days,
    features.average_order_amount,
    features.gap_median_days,
    features.discount_share,
    features.return_share,
    features.purchase_count_90_days,
    features.net_amount_90_days
from customers
inner join {{ ref('dim_customer_permissions') }} as permissions
    on customers.customer_id = permissions.customer_id and permissions.is_analytics_allowed
cross join {{ ref('dim_as_of') }} as as_of
left join features on customers.customer_id = features.customer_id
left join segments on customers.customer_id = segments.customer_id
left join churn on customers.customer_id = churn.customer_id
left join main_reasons on customers.customer_id = main_reasons.customer_id
left join clv on customers.customer_id = clv.customer_id
order by customers.customer_id
