-- CTEs that end in `periods`: each month beside the one before it, and the latest 28 days and 12 months beside as many
-- before them where the data goes back so far. A month is complete if the data covers it and the one before.
{% macro compared_periods() -%}
days as (

    select
        *,
        min(date_day) over () as first_date,
        max(date_day) over () as last_date
    from {{ ref('dim_dates') }}

),

periods as (

    {% for period_kind, length in [('latest_28_days', '28 day'), ('latest_12_months', '12 month')] -%}
    select
        '{{ period_kind }}' as period_kind,
        cast(date_day + 1 - interval {{ length }} as date) as period_start,
        date_day as period_end,
        cast(date_day + 1 - interval {{ length }} - interval {{ length }} as date) as previous_start,
        true as is_complete
    from days
    where
        date_day = last_date
        and cast(date_day + 1 - interval {{ length }} - interval {{ length }} as date) >= first_date
    union all
    {% endfor -%}
    select
        'month' as period_kind,
        month_start as period_start,
        last_day(month_start) as period_end,
        cast(month_start - interval 1 month as date) as previous_start,
        min(first_date) <= previous_start and min(last_date) >= period_end as is_complete
    from days
    group by month_start
    having min(first_date) < month_start

)
{%- endmacro %}
