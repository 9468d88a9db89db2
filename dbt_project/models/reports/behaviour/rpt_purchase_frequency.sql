with bands as (

    {{ purchase_bands() }}
    union all
    select
        0 as lowest,
        0 as highest,
        'no purchase' as label
    union all
    select
        null as lowest,
        null as highest,
        'guests' as label

),

customers as (

    select
        purchase_count,
        count(*) as customer_count,
        sum(net_amount) as net_amount
    from {{ ref('dim_customers') }}
    where transaction_count > 0
    group by purchase_count
    union all
    select
        null as purchase_count,
        null as customer_count,
        sum(net_amount) as net_amount
    from {{ ref('fct_transactions') }}
    where customer_id is null

),

counted as (

    select
        bands.lowest,
        bands.highest,
        bands.label,
        case when bands.lowest is not null then coalesce(sum(customers.customer_count), 0) end as customer_count,
        coalesce(sum(customers.purchase_count * customers.customer_count), 0) as purchase_count,
        coalesce(sum(customers.net_amount), 0) as net_amount
    from bands
    left join customers
        on
            (
                bands.lowest <= customers.purchase_count
                and customers.purchase_count <= coalesce(bands.highest, customers.purchase_count)
            )
            or (bands.lowest is null and customers.purchase_count is null)
    group by bands.lowest, bands.highest, bands.label

),

merged as (

    -- Bands of few customers are one, with the next smallest that it takes.
    select
        case when is_hidden then 'other bands' else label end as label,
        case when is_hidden then 0.5 else coalesce(lowest, 1000000) end as position,
        case when not is_hidden then lowest end as lowest,
        case when not is_hidden then highest end as highest,
        cast(sum(customer_count) as bigint) as customer_count,
        sum(purchase_count) filter (where label <> 'guests') as purchase_count,
        sum(net_amount) as net_amount
    from (
        select
            *,
            coalesce({{ is_hidden('customer_count', 'lowest') }}, false) as is_hidden
        from counted
    ) as weighed
    group by all

)

select
    label as purchase_band,
    cast(lowest as integer) as lowest_purchase_count,
    cast(highest as integer) as highest_purchase_count,
    {{ unless_few('customer_count', 'customer_count') }} as customer_count,
    case when lowest > 0 or label = 'other bands' then round(
        cast(customer_count as double)
        / nullif(sum(customer_count) filter (where lowest > 0 or label = 'other bands') over (), 0), 9
    ) end as customer_share,
    cast(purchase_count as bigint) as purchase_count,
    cast(net_amount as decimal(38, 4)) as net_amount,
    round(cast(net_amount as double) / nullif(cast(sum(net_amount) over () as double), 0), 9) as revenue_share
from merged
order by position
