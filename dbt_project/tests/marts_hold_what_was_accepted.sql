-- Money in the marts is the money accepted, to the cent, by line and by transaction.
with totals as (

    select
        (
            select accepted from {{ ref('reconciliation') }}
            where entity = 'transactions' and measure = 'amount'
        ) as accepted,
        (select coalesce(sum(net_amount), 0) from {{ ref('fct_transaction_lines') }}) as line_amount,
        (select coalesce(sum(net_amount), 0) from {{ ref('fct_transactions') }}) as transaction_amount

)

select *
from totals
where coalesce(accepted, 0) <> line_amount or line_amount <> transaction_amount
