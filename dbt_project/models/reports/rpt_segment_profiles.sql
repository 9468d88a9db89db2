with segments as (

    select * from {{ source('ml', 'customer_segments') }}

),

customers as (

    select * from {{ ref('rpt_customer_360') }}

),

profiled as (

    select
        segments.strategy,
        segments.segment,
        count(*) as customer_count,
        sum(customers.net_amount) as net_amount,
        median(customers.recency_days) as median_recency_days,
        median(customers.frequency_count) as median_frequency_count,
        median(cast(customers.net_amount as double)) as median_net_amount,
        median(customers.average_order_amount) as median_order_amount,
        median(customers.gap_median_days) as median_gap_days,
        {{ exact_average('customers.churn_probability') }} as average_churn_probability,
        {{ exact_average('customers.expected_amount') }} as average_expected_amount
    from segments
    inner join customers on segments.customer_id = customers.customer_id
    group by segments.strategy, segments.segment

)

select
    strategy,
    segment,
    customer_count,
    round(
        cast(customer_count as double) / nullif(sum(customer_count) over (partition by strategy), 0), 9
    ) as customer_share,
    cast(net_amount as decimal(38, 4)) as net_amount,
    round(
        cast(net_amount as double) / nullif(cast(sum(net_amount) over (partition by strategy) as double), 0), 9
    ) as revenue_share,
    median_recency_days,
    median_frequency_count,
    round(median_net_amount, 4) as median_net_amount,
    round(median_order_amount, 4) as median_order_amount,
    median_gap_days,
    round(average_churn_probability, 9) as average_churn_probability,
    round(average_expected_amount, 4) as average_expected_amount
from profiled
order by strategy asc, net_amount desc, segment asc
