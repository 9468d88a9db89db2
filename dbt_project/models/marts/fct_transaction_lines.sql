-- depends_on: {{ ref('stg_transactions_touched') }}

with lines as (

    select
        *,
        cast(occurred_at as date) as transaction_date
    from {{ ref('stg_transactions') }}
    {{ where_touched('transaction_id') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

costed as (

    select
        lines.* {{ except() }} (cost_amount),
        coalesce(products.is_product, true) as is_product,
        -- The line's own cost, else that of its pieces; what comes back brings its cost back.
        coalesce(lines.cost_amount, try_cast(
            cast(products.unit_cost_amount as decimal(38, 4))
            * case when lines.kind in ('return', 'cancellation') then -abs(lines.quantity) else lines.quantity end
            as decimal(18, 4)
        )) as cost_amount
    from lines
    left join products on lines.product_id = products.product_id

)

select
    transaction_id,
    cast(row_number() over (
        partition by transaction_id
        order by
            occurred_at, product_id nulls last, amount, quantity nulls last, kind, discount_amount nulls last,
            cost_amount nulls last, original_currency, original_amount, channel nulls last, store_id nulls last,
            country nulls last, campaign_id nulls last
    ) as integer) as line_number,
    -- Shops that name the customer in an order's first line only still sold all of it to them.
    min(customer_id) over (partition by transaction_id) as customer_id,
    product_id,
    occurred_at,
    transaction_date,
    quantity,
    cast(amount + coalesce(discount_amount, 0) as decimal(18, 4)) as gross_amount,
    coalesce(discount_amount, 0) as discount_amount,
    amount as net_amount,
    cost_amount,
    cast(amount - cost_amount as decimal(18, 4)) as margin_amount,
    currency,
    original_currency,
    original_amount,
    kind,
    is_product,
    channel,
    store_id,
    country,
    campaign_id
from costed
order by customer_id nulls last, transaction_id, line_number
