-- CTE `spending`: what each customer spends on each category.
{% macro category_spending() -%}
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

)
{%- endmacro %}

-- CTE `bought`: by segment and category, from `named`, `spending` and `segments`, the merged categories as one.
{% macro categories_bought() -%}
bought as (

    select
        strategy,
        segment,
        category,
        customer_count,
        category_amount as net_amount
    from named
    where not is_merged
    union all
    -- Who bought in several of the merged ones counts once.
    select
        segments.strategy,
        segments.segment,
        'other categories' as category,
        count(distinct segments.customer_id) filter (where spending.is_buyer) as customer_count,
        sum(spending.net_amount) as net_amount
    from named
    inner join spending on named.category = spending.category
    inner join segments
        on
            spending.customer_id = segments.customer_id
            and named.strategy = segments.strategy and named.segment = segments.segment
    where named.is_merged
    group by segments.strategy, segments.segment

)
{%- endmacro %}
