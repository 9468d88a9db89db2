{% set attributes = ['age_band', 'gender', 'income_band', 'household_size'] %}

with customers as (

    select * from {{ ref('dim_customers') }}

),

grouped as (

    {% for attribute in attributes -%}
    select
        '{{ attribute }}' as attribute,
        coalesce({{ attribute }}, 'unknown') as group_name,
        purchase_count > 0 as is_buyer,
        net_amount
    from customers
    qualify count({{ attribute }}) over () > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

merged as (

    -- Buyers decide, who are never more than the customers: money must not be that of a few.
    select
        attribute,
        group_name,
        {{ is_merged('count(*) filter (where is_buyer)', 'group_name', parent='attribute') }} as is_merged
    from grouped
    group by attribute, group_name

),

measured as (

    select
        grouped.attribute,
        case when merged.is_merged then 'other groups' else grouped.group_name end as group_name,
        count(*) as customer_count,
        count(*) filter (where grouped.is_buyer) as buyer_count,
        sum(grouped.net_amount) as net_amount,
        cast(sum(grouped.net_amount) filter (where grouped.is_buyer) as double) as buyer_amount,
        cast(sum(grouped.net_amount * grouped.net_amount) filter (where grouped.is_buyer) as double) as squared_amount,
        median(grouped.net_amount) filter (where grouped.is_buyer) as median_spend_amount
    from grouped
    inner join merged on grouped.attribute = merged.attribute and grouped.group_name = merged.group_name
    group by all
    having count(*) filter (where grouped.is_buyer) >= {{ smallest_group() }}

),

compared as (

    select
        *,
        buyer_amount / buyer_count as mean_amount,
        {{ t_quantile('buyer_count - 1') }} * sqrt(
            greatest(squared_amount - pow(buyer_amount, 2) / buyer_count, 0) / (buyer_count - 1) / buyer_count
        ) as half_width,
        -- Bands stand in the order of the first number in them, what lies under it first.
        row_number() over (
            partition by attribute
            order by
                group_name = 'other groups', group_name = 'unknown',
                try_cast(regexp_extract(group_name, '[0-9]+', 0) as integer) nulls last,
                not {{ matches('lower(group_name)', '^(under|below|less|up to|<)') }}, group_name
        ) as group_number
    from measured

)

select
    attribute,
    cast(group_number as integer) as group_number,
    group_name,
    customer_count,
    buyer_count,
    cast(net_amount as decimal(38, 4)) as net_amount,
    round(mean_amount, 4) as average_spend_amount,
    round(mean_amount - half_width, 4) as average_spend_lower,
    round(mean_amount + half_width, 4) as average_spend_upper,
    round(cast(median_spend_amount as double), 4) as median_spend_amount,
    round(customer_count / cast(sum(customer_count) over (partition by attribute) as double), 9) as customer_share,
    round(
        cast(net_amount as double) / nullif(cast(sum(net_amount) over (partition by attribute) as double), 0), 9
    ) as revenue_share,
    round(revenue_share / customer_share, 9) as spend_index
from compared
order by attribute, group_number
