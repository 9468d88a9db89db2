-- Whoever has a feature, a segment or a score is a customer of the marts, and in rpt_customer_360, which lists all who
-- allow analytics.
with scored as (

    {% for table in [
        'customer_features', 'customer_segments', 'next_purchases', 'churn_scores', 'churn_reasons', 'clv_predictions',
        'product_recommendations', 'response_propensities', 'lookalikes', 'uplift_scores', 'offers'
    ] -%}
    select customer_id from {{ source('ml', table) }}
    {{ 'union' if not loop.last }}
    {% endfor %}

)

select scored.customer_id
from scored
left join {{ ref('rpt_customer_360') }} as customers on scored.customer_id = customers.customer_id
where customers.customer_id is null
