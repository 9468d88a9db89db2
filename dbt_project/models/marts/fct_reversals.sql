-- A reversal is a transaction of its own day: the purchase it takes back stays one, as it was known until then.
with lines as (

    select * from {{ ref('fct_transaction_lines') }}
    where customer_id is not null and product_id is not null

),

reversals as (

    select * from lines
    where kind in ('return', 'cancellation')

),

sales as (

    select * from lines
    where kind = 'sale' and quantity > 0

),

matched as (

    -- Of the customer's earlier sales of the product that were large enough, the latest.
    select
        reversals.*,
        sales.transaction_id as reversed_transaction_id,
        sales.occurred_at as reversed_at
    from reversals
    left join sales
        on
            reversals.customer_id = sales.customer_id
            and reversals.product_id = sales.product_id
            and reversals.occurred_at >= sales.occurred_at
            and abs(reversals.quantity) <= sales.quantity
            and reversals.transaction_id <> sales.transaction_id
    qualify row_number() over (
        partition by reversals.transaction_id, reversals.line_number
        order by sales.occurred_at desc nulls last, sales.transaction_id desc, sales.line_number desc
    ) = 1

)

select
    transaction_id,
    line_number,
    customer_id,
    product_id,
    occurred_at,
    kind,
    quantity,
    net_amount,
    reversed_transaction_id,
    {{ days_between('cast(reversed_at as date)', 'cast(occurred_at as date)') }} as days_after_sale
from matched
order by transaction_id, line_number
