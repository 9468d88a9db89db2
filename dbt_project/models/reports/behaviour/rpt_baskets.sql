with bands as (

    {{ bands([
        (0, 0, 'no purchase'), (1, 1, '1'), (2, 2, '2'), (3, 5, '3 to 5'), (6, 10, '6 to 10'), (11, 20, '11 to 20'),
        (21, 50, '21 to 50'), (51, 'null', '51 or more')
    ]) }}

),

categories as (

    -- Only of what the catalogue gives a category.
    select
        lines.transaction_id,
        count(distinct products.category) as category_count
    from {{ ref('fct_transaction_lines') }} as lines
    inner join {{ ref('dim_products') }} as products on lines.product_id = products.product_id
    where lines.kind = 'sale' and lines.is_product and products.category is not null
    group by lines.transaction_id

),

baskets as (

    select
        case when transactions.is_purchase then transactions.line_count else 0 end as line_count,
        count(*) as transaction_count,
        sum(transactions.net_amount) as net_amount,
        sum(categories.category_count) filter (where transactions.is_purchase) as category_count,
        count(categories.category_count) filter (where transactions.is_purchase) as categorised_count
    from {{ ref('fct_transactions') }} as transactions
    left join categories on transactions.transaction_id = categories.transaction_id
    group by case when transactions.is_purchase then transactions.line_count else 0 end

),

counted as (

    select
        bands.lowest,
        bands.highest,
        bands.label,
        coalesce(sum(baskets.transaction_count), 0) as transaction_count,
        coalesce(sum(baskets.line_count * baskets.transaction_count), 0) as line_count,
        coalesce(sum(baskets.net_amount), 0) as net_amount,
        sum(baskets.category_count) as category_count,
        sum(baskets.categorised_count) as categorised_count
    from bands
    left join baskets
        on bands.lowest <= baskets.line_count and baskets.line_count <= coalesce(bands.highest, baskets.line_count)
    group by bands.lowest, bands.highest, bands.label

)

select
    label as line_band,
    cast(lowest as integer) as lowest_line_count,
    cast(highest as integer) as highest_line_count,
    cast(transaction_count as bigint) as transaction_count,
    case when lowest > 0 then round(
        cast(transaction_count as double) / nullif(sum(transaction_count) filter (where lowest > 0) over (), 0), 9
    ) end as transaction_share,
    cast(net_amount as decimal(38, 4)) as net_amount,
    round(cast(net_amount as double) / nullif(cast(sum(net_amount) over () as double), 0), 9) as revenue_share,
    round(cast(net_amount as double) / nullif(transaction_count, 0), 4) as average_transaction_amount,
    round(cast(line_count as double) / nullif(transaction_count, 0), 4) as average_line_count,
    round(cast(category_count as double) / nullif(categorised_count, 0), 4) as average_category_count
from counted
order by lowest
