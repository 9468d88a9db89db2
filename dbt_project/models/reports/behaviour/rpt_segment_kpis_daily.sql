with {{ reported_segments() }},

{{ retention_changes(shown_days=90) }},

{{ conversions() }},

{{ segment_days() }},

run as (

    select
        grid.*,
        daily.active_count,
        coalesce(daily.trader_count, 0) as trader_count,
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

),

weighed as (

    -- Segments of which few bought on a day are one on that day, with the next smallest that it takes.
    select
        *,
        {{ is_hidden('trader_count', 'segment', parent='strategy, date_day') }} as is_hidden
    from run

),

merged as (

    select
        strategy,
        date_day as date,
        case when is_hidden then 'other segments' else segment end as segment,
        {% for name in [
            'customer', 'active', 'trader', 'transaction', 'earlier', 'retained', 'contacted', 'converted'
        ] -%}
        cast(coalesce(sum({{ name }}_count), 0) as bigint) as {{ name }}_count,
        {% endfor -%}
        coalesce(sum(net_amount), 0) as net_amount,
        bool_and(is_retention_known) as is_retention_known,
        bool_and(is_conversion_known) as is_conversion_known
    from weighed
    group by all

)

select
    strategy,
    segment,
    date,
    customer_count,
    {{ unless_few('active_count', 'active_count') }} as active_customer_count,
    {{ unless_few('trader_count', 'transaction_count') }} as transaction_count,
    cast(net_amount as decimal(38, 4)) as net_amount,
    case when is_retention_known then {{ unless_few('earlier_count', 'earlier_count') }} end
        as earlier_customer_count,
    case when is_retention_known then {{ unless_few('retained_count', 'retained_count') }} end
        as retained_customer_count,
    round(cast(retained_customer_count as double) / nullif(earlier_customer_count, 0), 9) as retention_rate_30_days,
    case when is_conversion_known then {{ unless_few('contacted_count', 'contacted_count') }} end
        as contacted_customer_count,
    case when is_conversion_known then {{ unless_few('converted_count', 'converted_count') }} end
        as converted_customer_count,
    round(cast(converted_customer_count as double) / nullif(contacted_customer_count, 0), 9) as conversion_rate_7_days
from merged
order by strategy, segment, date
