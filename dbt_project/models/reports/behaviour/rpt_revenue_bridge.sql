with months as (

    select
        month_start,
        min(date_day) = month_start and max(date_day) = last_day(month_start) as is_complete_month
    from {{ ref('dim_dates') }}
    group by month_start

),

components as (

    select {{ each_of(['new', 'repeat', 'win-back', 'lost', 'no purchase', 'guests']) }} as component

),

{{ customer_months() }},

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

),

counted as (

    select
        months.month_start,
        months.is_complete_month,
        components.component,
        count(named.customer_id) as customer_count,
        coalesce(sum(named.net_amount), 0) as net_amount,
        coalesce(sum(named.previous_net_amount), 0) as previous_net_amount,
        {{ is_hidden('count(named.customer_id)', 'components.component', parent='months.month_start') }} as is_hidden
    from months
    cross join components
    left join named on months.month_start = named.month_start and components.component = named.component
    group by months.month_start, months.is_complete_month, components.component

)

select
    month_start,
    case when is_hidden then 'other' else component end as component,
    {{ unless_few('sum(customer_count)', 'cast(sum(customer_count) as bigint)') }} as customer_count,
    cast(sum(net_amount) as decimal(38, 4)) as net_amount,
    cast(sum(previous_net_amount) as decimal(38, 4)) as previous_net_amount,
    cast(sum(net_amount - previous_net_amount) as decimal(38, 4)) as change_amount,
    is_complete_month
from counted
group by all
order by month_start, component
