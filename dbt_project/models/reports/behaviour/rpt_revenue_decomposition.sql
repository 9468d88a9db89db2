with {{ compared_periods() }},

transactions as (

    -- A period without any trade keeps its row.
    select
        periods.*,
        transactions.customer_id,
        transactions.line_count,
        transactions.net_amount,
        transactions.transaction_date >= periods.period_start as is_now,
        transactions.transaction_date < periods.period_start as is_before,
        transactions.is_purchase and transactions.customer_id is not null as is_counted
    from periods
    left join {{ ref('fct_transactions') }} as transactions
        on
            periods.previous_start <= transactions.transaction_date
            and periods.period_end >= transactions.transaction_date

),

summed as (

    select
        period_kind,
        period_start,
        period_end,
        previous_start,
        is_complete,
        coalesce(sum(net_amount) filter (where is_now), 0) as net_amount,
        coalesce(sum(net_amount) filter (where is_now and is_counted), 0) as amount,
        coalesce(sum(net_amount) filter (where is_now and customer_id is null), 0) as guest_amount,
        count(distinct customer_id) filter (where is_now and is_counted) as customer_count,
        count(*) filter (where is_now and is_counted) as purchase_count,
        coalesce(sum(line_count) filter (where is_now and is_counted), 0) as line_count,
        coalesce(sum(net_amount) filter (where is_before), 0) as previous_net_amount,
        coalesce(sum(net_amount) filter (where is_before and is_counted), 0) as previous_amount,
        coalesce(sum(net_amount) filter (where is_before and customer_id is null), 0) as previous_guest_amount,
        count(distinct customer_id) filter (where is_before and is_counted) as previous_customer_count,
        count(*) filter (where is_before and is_counted) as previous_purchase_count,
        coalesce(sum(line_count) filter (where is_before and is_counted), 0) as previous_line_count
    from transactions
    group by period_kind, period_start, period_end, previous_start, is_complete

),

{{ log_mean_effects() }}

select
    period_kind,
    period_start,
    period_end,
    previous_start as previous_period_start,
    is_complete,
    cast(net_amount as decimal(38, 4)) as net_amount,
    cast(previous_net_amount as decimal(38, 4)) as previous_net_amount,
    cast(net_amount - previous_net_amount as decimal(38, 4)) as change_amount,
    cast(customers_effect_amount as decimal(38, 4)) as customers_effect_amount,
    cast(frequency_effect_amount as decimal(38, 4)) as frequency_effect_amount,
    cast(lines_effect_amount as decimal(38, 4)) as lines_effect_amount,
    cast(price_effect_amount as decimal(38, 4)) as price_effect_amount,
    cast(guest_amount - previous_guest_amount as decimal(38, 4)) as guest_effect_amount,
    cast(
        (net_amount - amount - guest_amount) - (previous_net_amount - previous_amount - previous_guest_amount)
        as decimal(38, 4)
    ) as other_effect_amount,
    customer_count,
    previous_customer_count,
    round(cast(purchase_count as double) / nullif(customer_count, 0), 9) as purchases_per_customer,
    round(
        cast(previous_purchase_count as double) / nullif(previous_customer_count, 0), 9
    ) as previous_purchases_per_customer,
    round(cast(line_count as double) / nullif(purchase_count, 0), 9) as lines_per_purchase,
    round(cast(previous_line_count as double) / nullif(previous_purchase_count, 0), 9) as previous_lines_per_purchase,
    round(cast(amount as double) / nullif(line_count, 0), 4) as average_line_amount,
    round(cast(previous_amount as double) / nullif(previous_line_count, 0), 4) as previous_average_line_amount
from effects
order by period_kind, period_start
