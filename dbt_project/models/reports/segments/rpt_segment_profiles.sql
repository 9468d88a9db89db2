with {{ reported_segments() }},

customers as (

    select * from {{ ref('rpt_customer_360') }}

),

words as (

    select * from {{ source('ml', 'segment_words') }}

),

limits as (

    select
        strategy,
        cast({{ text_in('config', '$.minimum_customer_share') }} as double) as minimum_customer_share,
        cast({{ text_in('config', '$.minimum_revenue_share') }} as double) as minimum_revenue_share
    from {{ source('ml', 'segment_strategies') }}

),

contacts as (

    select
        customer_id,
        count(*) as contact_count,
        count(responded_at) as response_count
    from {{ ref('fct_campaign_contacts') }}
    where not coalesce(is_control, false)
    group by customer_id

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
        {{ exact_average('customers.expected_amount') }} as average_expected_amount,
        count(customers.churn_probability) as scored_count,
        count(contacts.customer_id) as contacted_count,
        coalesce(sum(contacts.contact_count), 0) as contact_count,
        coalesce(sum(contacts.response_count), 0) as response_count
    from segments
    inner join customers on segments.customer_id = customers.customer_id
    left join contacts on segments.customer_id = contacts.customer_id
    group by segments.strategy, segments.segment
    having count(*) >= {{ smallest_group() }}

),

shared as (

    select
        profiled.*,
        cast(profiled.customer_count as double)
        / nullif(sum(profiled.customer_count) over (partition by profiled.strategy), 0) as customer_share,
        cast(profiled.net_amount as double)
        / nullif(cast(sum(profiled.net_amount) over (partition by profiled.strategy) as double), 0) as revenue_share
    from profiled

)

select
    shared.strategy,
    shared.segment,
    words.words,
    shared.customer_count,
    round(shared.customer_share, 9) as customer_share,
    cast(shared.net_amount as decimal(38, 4)) as net_amount,
    round(shared.revenue_share, 9) as revenue_share,
    shared.customer_share >= limits.minimum_customer_share
    and coalesce(shared.revenue_share, 0) >= limits.minimum_revenue_share as is_substantial,
    shared.median_recency_days,
    shared.median_frequency_count,
    round(shared.median_net_amount, 4) as median_net_amount,
    round(shared.median_order_amount, 4) as median_order_amount,
    shared.median_gap_days,
    {{ unless_few('shared.scored_count', 'round(shared.average_churn_probability, 9)') }} as average_churn_probability,
    round(shared.average_expected_amount, 4) as average_expected_amount,
    {{ unless_few('shared.contacted_count', 'cast(shared.contact_count as bigint)') }} as contact_count,
    {{ unless_few(
        'shared.response_count', 'round(cast(shared.response_count as double) / nullif(shared.contact_count, 0), 9)'
    ) }} as response_rate
from shared
left join limits on shared.strategy = limits.strategy
left join words on shared.strategy = words.strategy and shared.segment = words.segment
order by shared.strategy asc, shared.net_amount desc, shared.segment asc
