with segments as (

    select
        strategy,
        segment,
        customer_id,
        count(*) over (partition by strategy, segment) as segment_customer_count
    from {{ source('ml', 'customer_segments') }}

),

spending as (

    -- Goods and what came back of them, by customer; nothing where no product has a category.
    select
        lines.customer_id,
        coalesce(products.category, 'unknown') as category,
        bool_or(lines.kind = 'sale' and lines.net_amount > 0) as is_buyer,
        sum(lines.net_amount) as net_amount
    from {{ ref('fct_transaction_lines') }} as lines
    inner join {{ ref('data_capabilities') }} as capabilities
        on capabilities.capability = 'product_categories' and capabilities.is_available
    left join {{ ref('dim_products') }} as products on lines.product_id = products.product_id
    where lines.customer_id is not null and lines.is_product
    group by lines.customer_id, products.category

),

bought as (

    select
        segments.strategy,
        segments.segment,
        segments.segment_customer_count,
        spending.category,
        count(*) filter (where spending.is_buyer) as customer_count,
        sum(spending.net_amount) as net_amount
    from segments
    inner join spending on segments.customer_id = spending.customer_id
    group by segments.strategy, segments.segment, segments.segment_customer_count, spending.category

),

totals as (

    select
        *,
        cast(sum(net_amount) over (partition by strategy, segment) as double) as segment_amount,
        cast(sum(net_amount) over (partition by strategy, category) as double) as category_amount,
        cast(sum(net_amount) over (partition by strategy) as double) as strategy_amount
    from bought

),

shares as (

    select
        *,
        cast(net_amount as double) / nullif(segment_amount, 0) as segment_share,
        category_amount / nullif(strategy_amount, 0) as everyone_share
    from totals

)

select
    strategy,
    segment,
    category,
    customer_count,
    round(cast(customer_count as double) / segment_customer_count, 9) as customer_share,
    cast(net_amount as decimal(38, 4)) as net_amount,
    round(segment_share, 9) as segment_share,
    round(everyone_share, 9) as everyone_share,
    round(segment_share / nullif(everyone_share, 0), 9) as preference_index,
    customer_count < 30 as is_small
from shares
order by strategy asc, segment asc, net_amount desc, category asc
