-- The daily KPIs neither lose nor invent money.
with daily as (

    select coalesce(sum(net_amount), 0) as amount from {{ ref('rpt_kpis_daily') }}

),

transactions as (

    select coalesce(sum(net_amount), 0) as amount from {{ ref('fct_transactions') }}

)

select
    daily.amount as daily_amount,
    transactions.amount as transaction_amount
from daily
cross join transactions
where daily.amount <> transactions.amount
