{% set least_weeks, least_units, least_products, least_deviation = 12, 5, 10, 0.05 %}
{% set few = "'fewer than " ~ least_products ~ " products sold steadily'" %}

with sold as (

    select
        lines.product_id,
        products.category,
        date_trunc('week', lines.transaction_date) as week,
        sum(lines.quantity) as units,
        sum(lines.net_amount) as net_amount
    from {{ ref('fct_transaction_lines') }} as lines
    inner join {{ ref('dim_products') }} as products on lines.product_id = products.product_id
    where lines.kind = 'sale' and lines.is_product and lines.quantity > 0 and lines.net_amount > 0
    group by all

),

steady as (

    -- A week without sales has no price: products that often have none would seem less sensitive than they are.
    select * from sold
    qualify
        count(*) over (partition by product_id) >= {{ least_weeks }}
        and sum(units) over (partition by product_id) >= {{ least_units }} * count(*) over (partition by product_id)

),

logs as (

    {% for level, category in [('category', 'category'), ('overall', "'all'")] -%}
    select
        '{{ level }}' as level,
        {{ category }},
        product_id,
        week,
        ln(cast(units as double)) as y,
        ln(cast(net_amount as double) / cast(units as double)) as x
    from steady
    where {{ category }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{{ without_effects('logs', keys=['level', 'category', 'product_id', 'week'], groups=[
    'level, category, product_id', 'level, category, week'
]) }},

{{ clustered_slope() }},

judged as (

    select
        *,
        case
            when product_count < {{ least_products }} then {{ few }}
            when price_deviation < {{ least_deviation }} then 'prices hardly vary'
        end as reason
    from sloped

)

select
    level,
    category,
    1 as category_count,
    product_count,
    week_count,
    round(price_deviation, 9) as price_deviation,
    round(slope, 4) as elasticity,
    round(slope - half_width, 4) as elasticity_lower,
    round(slope + half_width, 4) as elasticity_upper,
    'none' as design
from judged
where reason is null
union all
select
    'left out' as level,
    coalesce(judged.reason, {{ few }}) as category,
    count(*) as category_count,
    null as product_count,
    null as week_count,
    null as price_deviation,
    null as elasticity,
    null as elasticity_lower,
    null as elasticity_upper,
    null as design
from (
    select distinct category from sold
    where category is not null
) as categories
left join judged on categories.category = judged.category and judged.level = 'category'
where judged.category is null or judged.reason is not null
group by all
order by level, elasticity, category
