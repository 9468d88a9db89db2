{{ config(materialized='table') }}
-- Counted from raw alone, so that the reconciliation compares two independent ways to the same total.
with settings as (

    select
        currency as reporting_currency,
        timezone as _timezone
    from {{ ref('stg_source_settings') }}

),

rates as (

    select * from {{ ref('stg_exchange_rates_daily') }}

),

lines as (

    {% for entity in entities().split() -%}
    select
        '{{ entity }}' as entity,
        received._source_file as source_file,
        cast({{ received_day(entity) }} as date) as event_date,
        settings.reporting_currency,
        {% if entity == 'transactions' %}upper({{ as_text('received.currency') }}){% else %}null{% endif %} as currency,
        {% if money_column(entity) %}{{ as_money(money_column(entity)) }}{% else %}null{% endif %} as amount
    from {{ source('raw', entity) }} as received
    cross join settings
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

own_or_foreign as (

    select
        * {{ except() }} (currency),
        coalesce(currency, reporting_currency) as currency
    from lines

),

converted as (

    select
        own_or_foreign.*,
        {{ in_reporting_currency('own_or_foreign.amount', 'own_or_foreign.currency') }} as reporting_amount
    from own_or_foreign
    left join rates on own_or_foreign.currency = rates.currency and own_or_foreign.event_date = rates.date

),

counted as (

    select
        entity,
        source_file,
        event_date,
        nullif(currency, reporting_currency) as foreign_currency,
        count(*) as row_count,
        sum(reporting_amount) as amount,
        sum(amount) as original_amount
    from converted
    group by all
    union all
    select
        entity,
        source_file,
        null as event_date,
        foreign_currency,
        row_count,
        amount,
        original_amount
    from {{ ref('stg_erased_rows') }}
    union all
    -- Stands for an entity of which nothing was received.
    select
        {{ each_of(entities().split()) }} as entity,
        null as source_file,
        null as event_date,
        null as foreign_currency,
        0 as row_count,
        null as amount,
        null as original_amount

)

{{ measures('counted', ['entity', 'source_file', 'event_date']) }}
