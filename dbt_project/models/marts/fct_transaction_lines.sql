with lines as (

    select
        *,
        cast(occurred_at as date) as transaction_date
    from {{ ref('stg_transactions') }}

)

select
    transaction_id,
    cast(row_number() over (
        partition by transaction_id
        order by
            occurred_at, product_id nulls last, amount, quantity nulls last, kind, discount_amount nulls last,
            cost_amount nulls last, currency, channel nulls last, store_id nulls last, country nulls last,
            campaign_id nulls last
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
    currency,
    kind,
    channel,
    store_id,
    country,
    campaign_id
from lines
order by customer_id nulls last, transaction_id, line_number
