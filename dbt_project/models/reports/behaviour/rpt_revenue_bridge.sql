with months as (

    select
        month_start,
        min(date_day) = month_start and max(date_day) = last_day(month_start) as is_complete_month
    from {{ ref('dim_dates') }}
    group by month_start

),

components as (

    select unnest(['new', 'repeat', 'win-back', 'lost', 'no purchase', 'guests']) as component

),

monthly as (

    select
        customer_id,
        cast(date_trunc('month', transaction_date) as date) as month_start,
        bool_or(is_purchase) as is_active,
        sum(net_amount) as net_amount
    from {{ ref('fct_transactions') }}
    group by customer_id, month_start

),

either_month as (

    -- Each customer's money of a month, seen from that month and from the next, which it leads to.
    select
        customer_id,
        month_start,
        is_active,
        false as was_active,
        net_amount,
        0 as previous_net_amount
    from monthly
    union all
    select
        customer_id,
        cast(month_start + interval 1 month as date) as month_start,
        false as is_active,
        is_active as was_active,
        0 as net_amount,
        net_amount as previous_net_amount
    from monthly

),

customers as (

    select
        customer_id,
        month_start,
        bool_or(is_active) as is_active,
        bool_or(was_active) as was_active,
        sum(net_amount) as net_amount,
        sum(previous_net_amount) as previous_net_amount
    from either_month
    group by customer_id, month_start

),

named as (

    select
        moves.month_start,
        moves.net_amount,
        moves.previous_net_amount,
        moves.customer_id,
        case
            when moves.customer_id is null then 'guests'
            when moves.is_active and moves.was_active then 'repeat'
            when moves.is_active and date_trunc('month', customers.first_purchase_date) = moves.month_start then 'new'
            when moves.is_active then 'win-back'
            when moves.was_active then 'lost'
            else 'no purchase'
        end as component
    from customers as moves
    left join {{ ref('dim_customers') }} as customers on moves.customer_id = customers.customer_id

)

select
    months.month_start,
    components.component,
    count(named.customer_id) as customer_count,
    cast(coalesce(sum(named.net_amount), 0) as decimal(38, 4)) as net_amount,
    cast(coalesce(sum(named.previous_net_amount), 0) as decimal(38, 4)) as previous_net_amount,
    cast(coalesce(sum(named.net_amount - named.previous_net_amount), 0) as decimal(38, 4)) as change_amount,
    months.is_complete_month
from months
cross join components
left join named on months.month_start = named.month_start and components.component = named.component
group by months.month_start, components.component, months.is_complete_month
order by months.month_start, components.component
