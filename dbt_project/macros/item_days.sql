-- CTEs that end in `item_days`: on which day which customer bought which of the products, and categories, that most
-- customers buy. So many of each level at most, since what follows compares each with each.
{% macro item_days(most_items, least_count, least_share) -%}
bought as (

    {{ lines_bought() }} and lines.customer_id is not null

),

named as (

    {% for level, item in [('product', 'product_id'), ('category', 'category')] -%}
    select distinct
        '{{ level }}' as level,
        customer_id,
        {{ item }} as item_id,
        transaction_date
    from bought
    where {{ item }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        level,
        item_id,
        count(distinct customer_id) as customer_count
    from named
    group by level, item_id

),

items as (

    select
        *,
        row_number() over (order by level, item_id) as item_number,
        count(*) over (partition by level) as item_count
    from (
        select *
        from counted
        where
            customer_count
            >= greatest({{ least_count }}, {{ least_share }} * (select count(distinct customer_id) from bought))
        qualify row_number() over (partition by level order by customer_count desc, item_id asc) <= {{ most_items }}
    ) as frequent

),

buyers as (

    -- Numbers, because they are joined and counted faster than texts; a customer has one for each level.
    select
        level,
        customer_id,
        row_number() over (order by level, customer_id) as buyer_number
    from (select distinct level, customer_id from named) as known

),

item_days as (

    select
        buyers.buyer_number,
        items.item_number,
        named.transaction_date
    from named
    inner join items on named.level = items.level and named.item_id = items.item_id
    inner join buyers on named.level = buyers.level and named.customer_id = buyers.customer_id

)
{%- endmacro %}
