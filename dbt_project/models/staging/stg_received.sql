{{ config(materialized='table') }}
-- Counted from raw alone, so that the reconciliation compares two independent ways to the same total.
with settings as (

    select
        *,
        timezone as _timezone
    from {{ ref('stg_settings') }}

),

rates as (

    select * from {{ ref('stg_exchange_rates_daily') }}

),

{% for entity in entities().split() -%}
{{ entity }} as (

    select
        _source_file as source_file,
        cast({{ received_day(entity) }} as date) as event_date,
        {% if entity == 'transactions' -%}
        coalesce(upper({{ as_text(entity ~ '.currency') }}), settings.currency) as currency,
        {%- else -%}
        settings.currency,
        {%- endif %}
        settings.currency as reporting_currency,
        {% if money_column(entity) %}{{ as_money(money_column(entity)) }}{% else %}null{% endif %} as amount
    from {{ source('raw', entity) }} as {{ entity }}
    cross join settings

),

{% endfor -%}

counted as (

    -- The row of zeros stands for an entity of which nothing was received.
    {% for entity in entities().split() -%}
    select
        '{{ entity }}' as entity,
        lines.source_file,
        lines.event_date,
        nullif(lines.currency, lines.reporting_currency) as foreign_currency,
        count(*) as row_count,
        sum(lines.amount) as original_amount,
        sum({{ in_reporting_currency('lines.amount', 'lines.currency', 'lines.reporting_currency', 'rates.rate') }}) as amount
    from {{ entity }} as lines
    left join rates on lines.currency = rates.currency and lines.event_date = rates.date
    group by all
    union all
    select '{{ entity }}' as entity, null, null, null, 0, null, null
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

{{ measures('counted', ['entity', 'source_file', 'event_date']) }}
