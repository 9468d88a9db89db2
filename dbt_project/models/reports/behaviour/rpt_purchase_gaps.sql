with bands as (

    {{ purchase_bands() }}

),

purchase_days as (

    select distinct
        customer_id,
        transaction_date
    from {{ ref('fct_transactions') }}
    where is_purchase and customer_id is not null

),

observed as (

    select
        purchase_days.customer_id,
        row_number() over (
            partition by purchase_days.customer_id order by purchase_days.transaction_date
        ) as purchase_number,
        {{ days_between(
            'purchase_days.transaction_date',
            'lead(purchase_days.transaction_date) over (
                partition by purchase_days.customer_id order by purchase_days.transaction_date
            )'
        ) }} as gap_days,
        {{ days_between('purchase_days.transaction_date', 'as_of.as_of_date') }} as observed_days
    from purchase_days
    cross join {{ ref('dim_as_of') }} as as_of

),

numbers as (

    -- Bands are found for each number, not for each purchase: a join by ranges is slow.
    select distinct purchase_number from observed

),

counted as (

    select
        bands.lowest,
        bands.highest,
        bands.label,
        {% for days in [30, 90, 365] -%}
        count(*) filter (where observed.observed_days >= {{ days }}) as observed_count_{{ days }}_days,
        count(*) filter (
            where observed.observed_days >= {{ days }} and observed.gap_days <= {{ days }}
        ) as next_count_{{ days }}_days,
        {% endfor -%}
        -- Everybody who reached a band has its first purchase.
        count(*) filter (where observed.purchase_number = bands.lowest) as customer_count,
        count(observed.customer_id) as purchase_day_count,
        count(observed.gap_days) as next_count,
        median(observed.gap_days) as median_gap_days,
        round(percentile_cont(0.1) within group (order by observed.gap_days), 4) as gap_days_p10,
        round(percentile_cont(0.9) within group (order by observed.gap_days), 4) as gap_days_p90
    from bands
    left join numbers
        on
            bands.lowest <= numbers.purchase_number
            and numbers.purchase_number <= coalesce(bands.highest, numbers.purchase_number)
    left join observed on numbers.purchase_number = observed.purchase_number
    group by bands.lowest, bands.highest, bands.label

)

select
    label as purchase_band,
    cast(lowest as integer) as lowest_purchase_number,
    cast(highest as integer) as highest_purchase_number,
    {{ unless_few('customer_count', 'customer_count') }} as customer_count,
    {% for name, value in [
        ('purchase_day_count', 'purchase_day_count'), ('next_count', 'next_count'),
        ('next_rate', 'round(cast(next_count as double) / nullif(purchase_day_count, 0), 9)'),
        ('median_gap_days', 'median_gap_days'), ('gap_days_p10', 'gap_days_p10'), ('gap_days_p90', 'gap_days_p90')
    ] -%}
    {{ unless_few('customer_count', value) }} as {{ name }},
    {% endfor -%}
    {% for days in [30, 90] -%}
    {{ unless_few('customer_count', 'observed_count_%d_days' % days) }} as observed_count_{{ days }}_days,
    {{ unless_few(
        'customer_count',
        'round(cast(next_count_%d_days as double) / nullif(observed_count_%d_days, 0), 9)' % (days, days)
    ) }} as next_rate_{{ days }}_days,
    {% endfor -%}
    {{ unless_few('customer_count', 'observed_count_365_days') }} as observed_count_365_days,
    {{ unless_few(
        'customer_count', 'round(cast(next_count_365_days as double) / nullif(observed_count_365_days, 0), 9)'
    ) }} as next_rate_365_days
from counted
order by lowest
