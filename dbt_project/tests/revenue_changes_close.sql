-- Month by month, the bridge and the decomposition explain the whole change of the net amount, to the cent.
with bridge as (

    select
        month_start,
        sum(net_amount) as net_amount,
        sum(previous_net_amount) as previous_net_amount,
        sum(change_amount) as change_amount
    from {{ ref('rpt_revenue_bridge') }}
    group by month_start

),

monthly as (

    select
        bridge.*,
        lag(bridge.net_amount, 1, 0) over (order by bridge.month_start) as amount_before
    from bridge

)

select
    'bridge' as report,
    month_start as period_start
from monthly
where previous_net_amount <> amount_before or change_amount <> net_amount - amount_before
union all
select
    decomposed.period_kind as report,
    decomposed.period_start
from {{ ref('rpt_revenue_decomposition') }} as decomposed
left join monthly on decomposed.period_start = monthly.month_start and decomposed.period_kind = 'month'
where
    decomposed.change_amount <> decomposed.customers_effect_amount + decomposed.frequency_effect_amount
    + decomposed.lines_effect_amount + decomposed.price_effect_amount + decomposed.guest_effect_amount
    + decomposed.other_effect_amount
    or decomposed.change_amount <> decomposed.net_amount - decomposed.previous_net_amount
    or (decomposed.period_kind = 'month' and decomposed.change_amount <> monthly.change_amount)
