with received as (

    {{ received('consents') }}

),

typed as (

    select
        {{ as_text('customer_id') }} as customer_id,
        lower({{ as_text('purpose') }}) as purpose,
        {{ as_boolean('granted') }} as granted,
        {{ as_timestamp('effective_at') }} as effective_at,
        {{ as_timestamp('updated_at') }} as updated_at,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('customer_id') }}
            {{ missing('purpose') }}
            {{ missing('granted') }}
            {{ not_castable('granted', as_boolean('granted')) }}
            {{ not_castable('effective_at', as_timestamp('effective_at')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    * {{ except() }} (_defect),
    coalesce(_defect, case
        when purpose not in ('analytics', 'profiling', 'marketing') then 'invalid_value.purpose'
    end) as _defect,
    {{ content_hash(['customer_id', 'purpose', 'granted', 'effective_at']) }} as content_hash
from typed
