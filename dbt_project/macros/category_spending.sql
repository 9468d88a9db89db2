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
