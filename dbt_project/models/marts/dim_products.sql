with catalogue as (

    select * from {{ ref('stg_products') }}

),

sold as (

    select distinct product_id
    from {{ ref('stg_transactions') }}
    where product_id is not null

)

select
    coalesce(catalogue.product_id, sold.product_id) as product_id,
    catalogue.name,
    catalogue.category,
    catalogue.subcategory,
    catalogue.department,
    catalogue.brand,
    catalogue.unit_cost_amount,
    catalogue.product_id is not null as is_in_catalogue
from catalogue
full join sold on catalogue.product_id = sold.product_id
order by product_id
