-- No entity loses more rows or money to rejection than the source file's limits allow.
with reconciliation as (

    select * from {{ ref('reconciliation') }}

),

limits as (

    select * from {{ ref('stg_limits') }}

),

rejected_money as (

    -- In absolute amounts, so that returns do not hide what was lost.
    select
        entity,
        sum(abs(amount)) filter (where row_status = 'rejected') as rejected_amount,
        sum(abs(amount)) as received_amount
    from {{ ref('int_rows_classified') }}
    group by entity

)

select
    reconciliation.entity,
    'rows' as measure,
    reconciliation.rejected,
    reconciliation.received
from reconciliation
cross join limits
where reconciliation.measure = 'rows' and reconciliation.rejected > limits.rejected_row_share * reconciliation.received
union all
select
    rejected_money.entity,
    'amount' as measure,
    rejected_money.rejected_amount as rejected,
    rejected_money.received_amount as received
from rejected_money
cross join limits
where rejected_money.rejected_amount > limits.rejected_amount_share * rejected_money.received_amount
