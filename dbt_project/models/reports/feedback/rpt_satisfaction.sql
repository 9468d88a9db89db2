with {{ opinions() }},

{{ reported_segments() }},

products as (

    -- What a message is about: the product that it names, else everything in the transaction that it names.
    select
        opinions.feedback_id,
        catalogue.product_id as product,
        catalogue.category
    from opinions
    left join {{ ref('fct_transaction_lines') }} as lines
        on opinions.product_id is null and opinions.transaction_id = lines.transaction_id
    inner join {{ ref('dim_products') }} as catalogue
        on coalesce(opinions.product_id, lines.product_id) = catalogue.product_id and catalogue.is_product

),

grouped as (

    select
        'everybody' as group_kind,
        'everybody' as group_name,
        feedback_id
    from opinions
    union all
    select
        segments.strategy as group_kind,
        segments.segment as group_name,
        opinions.feedback_id
    from opinions
    inner join segments on opinions.customer_id = segments.customer_id
    {% for kind in ['product', 'category'] -%}
    union all
    select distinct
        '{{ kind }}' as group_kind,
        {{ kind }} as group_name,
        feedback_id
    from products
    where {{ kind }} is not null
    {% endfor %}

),

shares as (

    -- Every customer counts once in a group, however much they write.
    select
        grouped.group_kind,
        grouped.group_name,
        opinions.customer_id,
        count(*) as message_count,
        count(opinions.rating) as rating_count,
        sum(cast(opinions.rating as decimal(18, 4))) as rating_sum,
        count(*) filter (where opinions.is_content) as content_count
    from grouped
    inner join opinions on grouped.feedback_id = opinions.feedback_id
    where opinions.is_content is not null
    group by grouped.group_kind, grouped.group_name, opinions.customer_id

),

sized as (

    select
        group_kind,
        group_name,
        {{ is_merged('count(*)', 'group_name', parent='group_kind') }} as is_merged
    from shares
    group by group_kind, group_name

),

{{ satisfied_customers() }}

select
    group_kind,
    group_name,
    count(*) as customer_count,
    cast(sum(message_count) as bigint) as message_count,
    round(cast(sum(rating_sum) as double) / nullif(cast(sum(rating_count) as double), 0), 4) as average_rating,
    round({{ mean('satisfied_share') }}, 9) as satisfied_share,
    -- Customers count, not messages; that of shares between 0 and 1 is at most as wide.
    {{ wilson('cast(sum(satisfied_share) as double)', 'count(*)', '-') }} as satisfied_share_lower,
    {{ wilson('cast(sum(satisfied_share) as double)', 'count(*)', '+') }} as satisfied_share_upper
from customers
group by group_kind, group_name
having count(*) >= {{ smallest_group() }}
order by group_kind, group_name
