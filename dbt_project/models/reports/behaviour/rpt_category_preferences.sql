with {{ reported_segments() }},

sizes as (

    select
        strategy,
        segment,
        count(*) as segment_customer_count
    from segments
    group by strategy, segment

),

{{ category_spending() }},

named as (

    -- Categories in which few of a segment bought are one, with the next smallest that it takes.
    select
        segments.strategy,
        segments.segment,
        spending.category,
        count(*) filter (where spending.is_buyer) as customer_count,
        sum(spending.net_amount) as category_amount,
        spending.category = 'other categories' or ({{ is_merged(
            'count(*) filter (where spending.is_buyer)', 'spending.category',
            parent='segments.strategy, segments.segment'
        ) }}) as is_merged
    from segments
    inner join spending on segments.customer_id = spending.customer_id
    group by segments.strategy, segments.segment, spending.category

),

{{ categories_bought() }},

everyone as (

    select
        strategy,
        category,
        sum(category_amount) as category_amount
    from named
    group by strategy, category

),

shares as (

    select
        bought.*,
        sizes.segment_customer_count,
        cast(bought.net_amount as double)
        / nullif(cast(sum(bought.net_amount) over (partition by bought.strategy, bought.segment) as double), 0)
            as segment_share,
        cast(everyone.category_amount as double)
        / nullif(cast(sum(bought.net_amount) over (partition by bought.strategy) as double), 0) as everyone_share
    from bought
    inner join sizes on bought.strategy = sizes.strategy and bought.segment = sizes.segment
    left join everyone on bought.strategy = everyone.strategy and bought.category = everyone.category

)

select
    strategy,
    segment,
    category,
    {{ unless_few('customer_count', 'customer_count') }} as customer_count,
    {{ unless_few(
        'customer_count', 'round(cast(customer_count as double) / segment_customer_count, 9)'
    ) }} as customer_share,
    cast(net_amount as decimal(38, 4)) as net_amount,
    round(segment_share, 9) as segment_share,
    round(everyone_share, 9) as everyone_share,
    round(segment_share / nullif(everyone_share, 0), 9) as preference_index,
    customer_count < 30 as is_small
from shares
order by strategy asc, segment asc, net_amount desc, category asc
