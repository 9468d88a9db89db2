with received as (

    {{ received('products', has_customer=false) }}

),

typed as (

    select
        {{ as_text('product_id') }} as product_id,
        {{ as_text('name') }} as name,
        {{ as_text('category') }} as category,
        {{ as_text('subcategory') }} as subcategory,
        {{ as_text('department') }} as department,
        {{ as_text('brand') }} as brand,
        {{ as_money('unit_cost_amount') }} as unit_cost_amount,
        {{ as_timestamp('updated_at') }} as updated_at,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('product_id') }}
            {{ not_castable('unit_cost_amount', as_money('unit_cost_amount')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    *,
    {{ content_hash([
        'product_id', 'name', 'category', 'subcategory', 'department', 'brand', 'unit_cost_amount'
    ]) }} as content_hash
from typed
