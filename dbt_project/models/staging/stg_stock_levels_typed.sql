with received as (

    {{ received('stock_levels', has_customer=false) }}

),

typed as (

    select
        {{ as_text('product_id') }} as product_id,
        {{ as_date('date') }} as date,
        {{ as_money('on_hand_quantity') }} as on_hand_quantity,
        {{ as_double('lead_time_days') }} as lead_time_days,
        {{ as_timestamp('updated_at') }} as updated_at,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('product_id') }}
            {{ missing('date') }}
            {{ missing('on_hand_quantity') }}
            {{ not_castable('date', as_date('date')) }}
            {{ not_castable('on_hand_quantity', as_money('on_hand_quantity')) }}
            {{ not_castable('lead_time_days', as_double('lead_time_days')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    * {{ except() }} (_defect),
    coalesce(_defect, case
        when lead_time_days < 0 then 'out_of_range.lead_time_days'
    end) as _defect,
    {{ content_hash(['product_id', 'date', 'on_hand_quantity', 'lead_time_days']) }} as content_hash
from typed
