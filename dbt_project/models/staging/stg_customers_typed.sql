{% set attributes = declared_attributes() %}

with received as (

    {{ received('customers') }}

),

typed as (

    select
        {{ as_text('customer_id') }} as customer_id,
        {{ as_timestamp('created_at') }} as created_at,
        {{ as_date('birth_date') }} as birth_date,
        {{ as_text('age_band') }} as age_band,
        {{ as_text('gender') }} as gender,
        {{ as_text('income_band') }} as income_band,
        {{ as_text('household_size') }} as household_size,
        {{ as_text('city') }} as city,
        {{ as_text('region') }} as region,
        {{ as_text('postal_code') }} as postal_code,
        {{ as_text('country') }} as country,
        {{ as_double('latitude') }} as latitude,
        {{ as_double('longitude') }} as longitude,
        {{ as_text('acquisition_channel') }} as acquisition_channel,
        {{ as_money('acquisition_cost_amount') }} as acquisition_cost_amount,
        {% for attribute in attributes %}{{ as_text(adapter.quote(attribute)) }} as {{ adapter.quote(attribute) }},
        {% endfor -%}
        {{ as_timestamp('updated_at') }} as updated_at,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('customer_id') }}
            {{ not_castable('created_at', as_timestamp('created_at')) }}
            {{ not_castable('birth_date', as_date('birth_date')) }}
            {{ not_castable('latitude', as_double('latitude')) }}
            {{ not_castable('longitude', as_double('longitude')) }}
            {{ not_castable('acquisition_cost_amount', as_money('acquisition_cost_amount')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    *,
    {{ content_hash([
        'customer_id', 'created_at', 'birth_date', 'age_band', 'gender', 'income_band', 'household_size', 'city',
        'region', 'postal_code', 'country', 'latitude', 'longitude', 'acquisition_channel', 'acquisition_cost_amount'
    ] + attributes | map('tojson') | list) }} as content_hash
from typed
