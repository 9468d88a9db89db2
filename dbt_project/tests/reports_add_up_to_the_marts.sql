-- The daily KPIs and, per strategy, the segment profiles neither lose nor invent anything.
with daily as (

    select sum(net_amount) as amount from {{ ref('rpt_kpis_daily') }}

),

transactions as (

    select sum(net_amount) as amount from {{ ref('fct_transactions') }}

),

profiles as (

    select
        strategy,
        sum(customer_count) as profile_count
    from {{ ref('rpt_segment_profiles') }}
    group by strategy

),

segments as (

    select
        strategy,
        count(*) as member_count
    from {{ source('ml', 'customer_segments') }}
    group by strategy

)

select 'rpt_kpis_daily' as report
from daily
cross join transactions
where daily.amount <> transactions.amount
union all
select 'rpt_segment_profiles' as report
from segments
left join profiles on segments.strategy = profiles.strategy
where segments.member_count is distinct from profiles.profile_count
