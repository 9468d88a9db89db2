-- CTEs that end in `item_days`: on which day which customer bought which of the products, and categories, that most
-- customers buy. So many of each level at most, since what follows compares each with each.
{% macro item_days(most_items, least_count, least_share) -%}
bought as (

    {{ lines_bought() }} and lines.customer_id is not null

),

named as (

    -- Who bought twice on a day is there twice: nothing below counts days, and to make them distinct costs most of all.
    {% for level, item in [('product', 'product_id'), ('category', 'category')] -%}
    select
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

    -- Numbers, because they are joined and counted faster than texts.
    select
        customer_id,
        row_number() over (order by customer_id) as customer_number
    from (select distinct customer_id from bought) as known

),

item_days as (

    -- A customer has one number for each level.
    select
        2 * buyers.customer_number + cast(named.level = 'product' as integer) as buyer_number,
        items.item_number,
        named.transaction_date
    from named
    inner join items on named.level = items.level and named.item_id = items.item_id
    inner join buyers on named.customer_id = buyers.customer_id

)
{%- endmacro %}
