-- CTEs that end in `customers`: everybody who ever bought, by channel and month; channels of few people are one, and so are,
-- without a name, the months of few people of a channel.
{% macro acquired_customers() -%}
won as (

    select
        customer_id,
        coalesce(acquisition_channel, 'unknown') as acquisition_channel,
        cast(date_trunc('month', first_purchase_date) as date) as cohort_month,
        acquisition_cost_amount
    from {{ ref('dim_customers') }}
    where first_purchase_date is not null

),

channels as (

    select
        acquisition_channel,
        {{ is_merged('count(*)', 'acquisition_channel') }} as is_merged
    from won
    group by acquisition_channel

),

by_channel as (

    select
        won.* {{ except() }} (acquisition_channel),
        case when channels.is_merged then 'other channels' else won.acquisition_channel end as acquisition_channel
    from won
    inner join channels on won.acquisition_channel = channels.acquisition_channel

),

months as (

    select
        acquisition_channel,
        cohort_month,
        {{ is_merged('count(*)', 'cohort_month', parent='acquisition_channel') }} as is_merged
    from by_channel
    group by acquisition_channel, cohort_month

),

customers as (

    select
        by_channel.* {{ except() }} (cohort_month),
        case when not months.is_merged then by_channel.cohort_month end as cohort_month
    from by_channel
    inner join months
        on by_channel.acquisition_channel = months.acquisition_channel
        and by_channel.cohort_month = months.cohort_month

)
{%- endmacro %}
