{{ config(post_hook="{{ revalued() }}") }}
-- depends_on: {{ ref('stg_transactions_touched') }}

with lines as (

    select
        *,
        is_product and kind <> 'adjustment' as is_goods
    from {{ ref('fct_transaction_lines') }}
    {{ where_touched('transaction_id') }}

),

summed as (

    select
        transaction_id,
        min(customer_id) as customer_id,
        min(occurred_at) as occurred_at,
        count(*) as line_count,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_amount) as net_amount,
        sum(cost_amount) as cost_amount,
        sum(margin_amount) as margin_amount,
        coalesce(sum(net_amount) filter (where not is_goods and cost_amount is null), 0) as costless_amount,
        count(*) filter (where is_goods and cost_amount is null) as unknown_cost_count,
        coalesce(sum(net_amount) filter (where kind = 'sale' and is_product), 0) as sold_amount,
        count(*) filter (where kind in ('return', 'cancellation')) as returned_line_count,
        min(currency) as currency,
        min(channel) as channel,
        min(store_id) as store_id,
        min(country) as country
    from lines
    group by transaction_id

),

amounts as (

    select
        * {{ except() }} (margin_amount),
        -- Known only where the cost of every product is; postage and fees without a cost of their own cost nothing.
        case when unknown_cost_count = 0 then coalesce(margin_amount, 0) + costless_amount end as margin_amount
    from summed

),

costs as (

    {{ cost_knowledge() }}

),

valued as (

    select
        amounts.*,
        costs.is_cost_known and amounts.margin_amount is not null as is_margin
    from amounts
    cross join costs

)

select
    transaction_id,
    customer_id,
    occurred_at,
    cast(occurred_at as date) as transaction_date,
    line_count,
    cast(gross_amount as decimal(18, 4)) as gross_amount,
    cast(discount_amount as decimal(18, 4)) as discount_amount,
    cast(net_amount as decimal(18, 4)) as net_amount,
    cast(cost_amount as decimal(18, 4)) as cost_amount,
    cast(margin_amount as decimal(18, 4)) as margin_amount,
    cast(case when is_margin then margin_amount else net_amount end as decimal(18, 4)) as value_amount,
    case when is_margin then 'margin' else 'net' end as value_basis,
    -- A product was paid for: a return, a correction, a gift or postage makes nobody recent.
    sold_amount > 0 as is_purchase,
    sold_amount <= 0 and returned_line_count > 0 as is_return,
    currency,
    channel,
    store_id,
    country
from valued
order by customer_id nulls last, occurred_at, transaction_id
