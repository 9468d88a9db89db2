-- CTEs that end in `contents`: which frequent product, and which frequent category, is in which basket. Baskets of more
-- products than `most_products` are left out and counted: a wholesaler's pairs would outweigh and outlast all others.
{% macro basket_contents(most_products, least_count, least_share) -%}
bought as (

    {{ lines_bought() }}

),

baskets as (

    select
        row_number() over (order by transaction_id) as basket_number,
        transaction_id,
        coalesce(min(customer_id), 'guest ' || transaction_id) as buyer_id,
        count(distinct product_id) as size,
        size > {{ most_products }} as is_left_out
    from bought
    group by transaction_id

),

totals as (

    -- A basket of ten holds 45 pairs: chance alone brings together what is bought in large baskets. Each item is taken to
    -- fill baskets in proportion to their size (Chung and Lu 2002); the chance of a pair is never less than without.
    select
        count(*) filter (where not is_left_out) as basket_count,
        count(*) filter (where is_left_out) as left_out_basket_count,
        greatest(1.0 / basket_count, cast(sum(size * (size - 1)) filter (where not is_left_out) as double)
        / pow(cast(sum(size) filter (where not is_left_out) as double), 2)) as chance
    from baskets

),

put_in as (

    {% for level, item in [('product', 'product_id'), ('category', 'category')] -%}
    select distinct
        '{{ level }}' as level,
        baskets.basket_number,
        bought.{{ item }} as item_id
    from bought
    inner join baskets on bought.transaction_id = baskets.transaction_id
    where not baskets.is_left_out and bought.{{ item }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

items as (

    -- Numbers, because pairs of numbers are counted faster than pairs of texts.
    select
        level,
        item_id,
        row_number() over (order by level, item_id) as item_number,
        count(*) over (partition by level) as item_count,
        count(*) as item_basket_count
    from put_in
    group by level, item_id
    having count(*) >= (select greatest({{ least_count }}, {{ least_share }} * basket_count) from totals)

),

contents as (

    select
        put_in.level,
        put_in.basket_number,
        items.item_number
    from put_in
    inner join items on put_in.level = items.level and put_in.item_id = items.item_id

)
{%- endmacro %}
