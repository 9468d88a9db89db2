with catalogue as (

    select * from {{ ref('stg_products') }}

),

named as (

    {% for entity in ['transactions', 'interactions', 'feedback', 'stock_levels'] -%}
    select product_id from {{ ref('stg_' ~ entity) }}
    where product_id is not null
    {{ 'union' if not loop.last }}
    {% endfor %}

),

products as (

    select
        coalesce(catalogue.product_id, named.product_id) as product_id,
        catalogue.* {{ except() }} (product_id),
        catalogue.product_id is not null as is_in_catalogue
    from catalogue
    full join named on catalogue.product_id = named.product_id

),

non_products as (

    -- Postage, gift cards, fees: as the source file declares them, by id or by how the id starts.
    select distinct products.product_id
    from products
    inner join {{ ref('stg_non_products') }} as rules
        on
            (products.product_id = rules.product_id)
            or (rules.is_prefix and {{ begins_with('products.product_id', 'rules.product_id') }})

)

select
    products.product_id,
    products.name,
    products.category,
    products.subcategory,
    products.department,
    products.brand,
    products.unit_cost_amount,
    products.is_in_catalogue,
    non_products.product_id is null as is_product
from products
left join non_products on products.product_id = non_products.product_id
order by products.product_id
