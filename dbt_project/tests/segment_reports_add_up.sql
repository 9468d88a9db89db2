-- Per strategy, reports by segment hold the money of every customer with a segment: all of what they paid for products,
-- and all of the last 90 days.
with members as (

    select
        strategy,
        customer_id
    from {{ source('ml', 'customer_segments') }}

),

categories as (

    select
        strategy,
        sum(net_amount) as amount
    from {{ ref('rpt_category_preferences') }}
    group by strategy

),

product_lines as (

    select
        members.strategy,
        sum(lines.net_amount) as amount
    from {{ ref('fct_transaction_lines') }} as lines
    inner join members on lines.customer_id = members.customer_id
    where lines.is_product
    group by members.strategy

),

daily as (

    select
        strategy,
        min(date) as first_date,
        sum(net_amount) as amount
    from {{ ref('rpt_segment_kpis_daily') }}
    group by strategy

),

transactions as (

    select
        members.strategy,
        sum(transactions.net_amount) as amount
    from {{ ref('fct_transactions') }} as transactions
    inner join members on transactions.customer_id = members.customer_id
    inner join daily on members.strategy = daily.strategy and transactions.transaction_date >= daily.first_date
    group by members.strategy

)

select
    'rpt_category_preferences' as report,
    categories.strategy
from categories
left join product_lines on categories.strategy = product_lines.strategy
where categories.amount is distinct from product_lines.amount
union all
select
    'rpt_segment_kpis_daily' as report,
    daily.strategy
from daily
left join transactions on daily.strategy = transactions.strategy
where daily.amount <> coalesce(transactions.amount, 0)
