with transactions as (

    select
        *,
        is_purchase and coalesce(discount_amount, 0) > 0 as is_discounted,
        is_purchase and coalesce(discount_amount, 0) <= 0 as is_full_price
    from {{ ref('fct_transactions') }}

),

customers as (

    -- Guests are one row: whether one of them comes back, nobody knows.
    select
        customer_id,
        count(*) filter (where is_purchase) as purchase_count,
        count(*) filter (where is_discounted) as discounted_purchase_count,
        count(*) filter (where discount_amount <> 0) as discount_count,
        sum(net_amount) as net_amount,
        sum(discount_amount) as discount_amount,
        sum(net_amount) filter (where is_discounted) as discounted_order_amount,
        sum(net_amount) filter (where is_full_price) as full_price_order_amount
    from transactions
    group by customer_id

),

banded as (

    select
        *,
        cast(case
            when customer_id is null then 8
            when purchase_count = 0 then 7
            when discounted_purchase_count = 0 then 1
            when discounted_purchase_count = purchase_count then 6
            else 2 + least(floor(4 * discounted_purchase_count / purchase_count), 3)
        end as integer) as band_number
    from customers
    -- Where nobody ever had a discount, nobody depends on one.
    qualify sum(discount_count) over () > 0

),

sizes as (

    -- Bands of few customers are one, with the next smallest that it takes.
    select
        band_number,
        {{ is_hidden('count(customer_id)', 'band_number') }} as is_hidden
    from banded
    group by band_number

),

merged as (

    select
        banded.* {{ except() }} (band_number),
        case when sizes.is_hidden then 9 else banded.band_number end as band_number
    from banded
    inner join sizes on banded.band_number = sizes.band_number

)

select
    band_number,
    {{ nth([
        'never', 'under 25 %', '25 % to under 50 %', '50 % to under 75 %', '75 % to under 100 %', 'always',
        'no purchase', 'guests', 'other bands'
    ], 'band_number') }} as discount_band,
    {{ unless_few('count(customer_id)', 'count(customer_id)') }} as customer_count,
    {{ unless_few(
        'count(customer_id) filter (where purchase_count = 1)',
        'count(customer_id) filter (where purchase_count = 1)'
    ) }} as one_purchase_customer_count,
    round(count(customer_id) / sum(count(customer_id)) over (), 9) as customer_share,
    cast(sum(purchase_count) as bigint) as purchase_count,
    cast(sum(discounted_purchase_count) as bigint) as discounted_purchase_count,
    cast(sum(net_amount) as decimal(38, 4)) as net_amount,
    round(cast(sum(net_amount) as double) / nullif(cast(sum(sum(net_amount)) over () as double), 0), 9)
        as revenue_share,
    cast(sum(discount_amount) as decimal(38, 4)) as discount_amount,
    round(
        cast(sum(discounted_order_amount) as double) / nullif(sum(discounted_purchase_count), 0), 4
    ) as average_discounted_order_amount,
    round(
        cast(sum(full_price_order_amount) as double)
        / nullif(sum(purchase_count - discounted_purchase_count), 0),
        4
    ) as average_full_price_order_amount
from merged
group by band_number
order by band_number
