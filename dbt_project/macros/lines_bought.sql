-- Lines by which a product was bought, with its category: no return, no postage, nothing that was free.
{% macro lines_bought() -%}
    select
        lines.transaction_id,
        lines.customer_id,
        lines.transaction_date,
        lines.product_id,
        products.category
    from {{ ref('fct_transaction_lines') }} as lines
    inner join {{ ref('dim_products') }} as products on lines.product_id = products.product_id
    where lines.kind = 'sale' and lines.is_product and lines.net_amount > 0
{%- endmacro %}
