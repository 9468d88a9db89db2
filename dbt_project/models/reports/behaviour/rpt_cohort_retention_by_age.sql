with {{ lived_periods() }},

activity as (

    select
        cohort_month,
        period_number,
        count(*) filter (where is_active and period_number < lived_period_count) as active_count,
        count(*) as trader_count,
        sum(net_amount) filter (where period_number < lived_period_count) as observed_net_amount,
        sum(net_amount) as net_amount
    from transactions
    group by cohort_month, period_number

),

lived as (

    select
        cohort_month,
        lived_period_count,
        max(last_period_number) as last_period_number,
        count(*) as customer_count
    from customers
    group by cohort_month, lived_period_count

),

grid as (

    select
        cohort_month,
        sum(customer_count) as customer_count,
        {{ each_number(0, 'max(last_period_number)') }} as period_number
    from lived
    group by cohort_month

),

observed as (

    select
        grid.cohort_month,
        grid.period_number,
        grid.customer_count,
        sum(lived.customer_count) filter (where lived.lived_period_count > grid.period_number) as observed_count
    from grid
    inner join lived on grid.cohort_month = lived.cohort_month
    group by all

),

cells as (

    select
        observed.*,
        coalesce(observed.observed_count, 0) as seen_count,
        coalesce(activity.active_count, 0) as active_count,
        coalesce(activity.observed_net_amount, 0) as observed_net_amount,
        coalesce(activity.net_amount, 0) as net_amount,
        {{ is_small(['observed.customer_count', 'observed.observed_count', 'activity.active_count']) }}
        or {{ is_hidden('coalesce(activity.trader_count, 0)', 'observed.cohort_month, observed.period_number') }}
            as is_hidden
    from observed
    left join activity
        on observed.cohort_month = activity.cohort_month and observed.period_number = activity.period_number

)

select
    cohort_month,
    cast(period_number as integer) as period_number,
    {{ unless_few('customer_count', 'cast(customer_count as bigint)') }} as customer_count,
    {{ unless_few('seen_count', 'cast(seen_count as bigint)') }} as observed_count,
    case when not is_hidden then active_count end as active_count,
    case when not is_hidden then round(cast(active_count as double) / observed_count, 9) end as retention_rate,
    seen_count = customer_count as is_complete,
    cast(case when not is_hidden then observed_net_amount end as decimal(38, 4)) as observed_net_amount,
    cast(case when not is_hidden then net_amount end as decimal(38, 4)) as net_amount
from cells
{{ money_of_hidden(
    [
        'cohort_month', 'period_number', 'customer_count', 'observed_count', 'active_count', 'retention_rate',
        'is_complete'
    ],
    ['observed_net_amount', 'net_amount']
) }}
order by cohort_month nulls last, period_number
