-- From every line received to the purchases of known customers: each line goes at the first step that applies to it.
with steps as (

    {% for step in [
        'superseded', 'repeated', 'erased', 'rejected', 'excluded', 'guest', 'cancellation', 'return', 'adjustment',
        'zero_price', 'non_product', 'taken_back_later', 'kept',
    ] -%}
    select
        {{ loop.index }} as step_number,
        '{{ step }}' as step
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

taken_back as (

    select distinct
        reversed_transaction_id as transaction_id,
        product_id
    from {{ ref('fct_reversals') }}
    where reversed_transaction_id is not null

),

lines as (

    select
        row_status as step,
        null as customer_id,
        amount
    from {{ ref('int_rows_classified') }}
    where entity = 'transactions' and row_status <> 'accepted'
    union all
    select
        case
            when lines.customer_id is null then 'guest'
            when lines.kind <> 'sale' then lines.kind
            when lines.net_amount = 0 then 'zero_price'
            when not lines.is_product then 'non_product'
            when taken_back.transaction_id is not null then 'taken_back_later'
            else 'kept'
        end as step,
        lines.customer_id,
        lines.net_amount as amount
    from {{ ref('fct_transaction_lines') }} as lines
    left join taken_back
        on lines.transaction_id = taken_back.transaction_id and lines.product_id = taken_back.product_id

),

counted as (

    select
        step,
        count(*) as line_count,
        sum(amount) as net_amount
    from lines
    group by step
    union all
    select
        'erased' as step,
        sum(total) filter (where measure = 'rows') as line_count,
        sum(total) filter (where measure = 'amount') as net_amount
    from {{ ref('int_rows_counted') }}
    where entity = 'transactions' and row_status = 'erased'
    having count(*) > 0

),

last_steps as (

    select
        lines.customer_id,
        max(steps.step_number) as step_number
    from lines
    inner join steps on lines.step = steps.step
    where lines.customer_id is not null
    group by lines.customer_id

),

last_seen as (

    select
        step_number,
        count(*) as customer_count
    from last_steps
    group by step_number

)

select
    cast(steps.step_number as bigint) as step_number,
    steps.step,
    cast(coalesce(counted.line_count, 0) as bigint) as line_count,
    cast(coalesce(counted.net_amount, 0) as decimal(38, 4)) as net_amount,
    cast(coalesce(sum(counted.line_count) over later, 0) as bigint) as line_count_left,
    cast(coalesce(sum(counted.net_amount) over later, 0) as decimal(38, 4)) as net_amount_left,
    cast(coalesce(sum(last_seen.customer_count) over later, 0) as bigint) as customer_count_left
from steps
left join counted on steps.step = counted.step
left join last_seen on steps.step_number = last_seen.step_number
window later as (order by steps.step_number rows between 1 following and unbounded following)
order by steps.step_number
