with {{ retention_changes(shown_days=90) }},

{{ conversions() }},

counted as (

    -- What happened to each customer on each day, all in one shape.
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
    union all by name
    select * from conversions
    union all by name
    select * from changes

),

grid as (

    select
        segments.strategy,
        segments.segment,
        dates.date_day,
        count(*) as customer_count
    from {{ source('ml', 'customer_segments') }} as segments
    cross join bounds
    inner join {{ ref('dim_dates') }} as dates on bounds.shown_from <= dates.date_day
    group by segments.strategy, segments.segment, dates.date_day

),

daily as (

    select
        segments.strategy,
        segments.segment,
        counted.date_day,
        sum(counted.active_count) as active_count,
        sum(counted.transaction_count) as transaction_count,
        sum(counted.net_amount) as net_amount,
        sum(counted.contacted_count) as contacted_count,
        sum(counted.converted_count) as converted_count,
        sum(counted.earlier_change) as earlier_change,
        sum(counted.retained_change) as retained_change
    from counted
    inner join {{ source('ml', 'customer_segments') }} as segments on counted.customer_id = segments.customer_id
    group by segments.strategy, segments.segment, counted.date_day

),

run as (

    select
        grid.*,
        daily.active_count,
        daily.transaction_count,
        daily.net_amount,
        daily.contacted_count,
        daily.converted_count,
        grid.date_day + 7 <= bounds.last_date and capabilities.is_available as is_conversion_known,
        sum(daily.earlier_change) over days_so_far as earlier_count,
        sum(daily.retained_change) over days_so_far as retained_count,
        bounds.first_date <= grid.date_day - 59 as is_retention_known
    from grid
    cross join bounds
    inner join {{ ref('data_capabilities') }} as capabilities on capabilities.capability = 'contact_conversion'
    left join daily
        on grid.strategy = daily.strategy and grid.segment = daily.segment and grid.date_day = daily.date_day
    window days_so_far as (partition by grid.strategy, grid.segment order by grid.date_day)

)

select
    strategy,
    segment,
    date_day as date,
    customer_count,
    cast(coalesce(active_count, 0) as bigint) as active_customer_count,
    cast(coalesce(transaction_count, 0) as bigint) as transaction_count,
    cast(coalesce(net_amount, 0) as decimal(38, 4)) as net_amount,
    cast(case when is_retention_known then coalesce(earlier_count, 0) end as bigint) as earlier_customer_count,
    cast(case when is_retention_known then coalesce(retained_count, 0) end as bigint) as retained_customer_count,
    round(cast(retained_customer_count as double) / nullif(earlier_customer_count, 0), 9) as retention_rate_30_days,
    cast(case when is_conversion_known then coalesce(contacted_count, 0) end as bigint) as contacted_customer_count,
    cast(case when is_conversion_known then coalesce(converted_count, 0) end as bigint) as converted_customer_count,
    round(cast(converted_customer_count as double) / nullif(contacted_customer_count, 0), 9) as conversion_rate_7_days
from run
order by strategy, segment, date
