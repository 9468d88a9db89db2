-- CTEs that end in `grid` and `daily`: how many a segment holds on each day of `bounds`, and what they did, by `conversions`,
-- `changes` and transactions.
{% macro segment_days() -%}
counted as (

    select
        transactions.customer_id,
        transactions.transaction_date as date_day,
        max(cast(transactions.is_purchase as integer)) as active_count,
        count(*) as transaction_count,
        sum(transactions.net_amount) as net_amount,
        0 as contacted_count,
        0 as converted_count,
        0 as earlier_change,
        0 as retained_change
    from {{ ref('fct_transactions') }} as transactions
    inner join bounds on transactions.transaction_date >= bounds.shown_from
    where transactions.customer_id is not null
    group by transactions.customer_id, transactions.transaction_date
    union all
    select
        customer_id,
        date_day,
        0 as active_count,
        0 as transaction_count,
        0 as net_amount,
        contacted_count,
        converted_count,
        0 as earlier_change,
        0 as retained_change
    from conversions
    union all
    select
        customer_id,
        date_day,
        0 as active_count,
        0 as transaction_count,
        0 as net_amount,
        0 as contacted_count,
        0 as converted_count,
        earlier_change,
        retained_change
    from changes

),

sizes as (

    select
        strategy,
        segment,
        count(*) as customer_count
    from segments
    group by strategy, segment

),

grid as (

    select
        sizes.strategy,
        sizes.segment,
        dates.date_day,
        sizes.customer_count
    from sizes
    cross join bounds
    inner join {{ ref('dim_dates') }} as dates on bounds.shown_from <= dates.date_day

),

daily as (

    select
        segments.strategy,
        segments.segment,
        counted.date_day,
        sum(counted.active_count) as active_count,
        sum(cast(counted.transaction_count > 0 as integer)) as trader_count,
        sum(counted.transaction_count) as transaction_count,
        sum(counted.net_amount) as net_amount,
        sum(counted.contacted_count) as contacted_count,
        sum(counted.converted_count) as converted_count,
        sum(counted.earlier_change) as earlier_change,
        sum(counted.retained_change) as retained_change
    from counted
    inner join segments on counted.customer_id = segments.customer_id
    group by segments.strategy, segments.segment, counted.date_day

)
{%- endmacro %}
