with received as (

    {{ received('exchange_rates', has_customer=false) }}

),

typed as (

    select
        {{ as_date('date') }} as date,
        upper({{ as_text('currency') }}) as currency,
        {{ as_rate('rate') }} as rate,
        {{ as_timestamp('updated_at') }} as updated_at,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('date') }}
            {{ missing('currency') }}
            {{ missing('rate') }}
            {{ not_castable('date', as_date('date')) }}
            {{ not_castable('rate', as_rate('rate')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    * {{ except() }} (_defect),
    coalesce(_defect, case
        when rate <= 0 then 'out_of_range.rate'
    end) as _defect,
    {{ content_hash(['date', 'currency', 'rate']) }} as content_hash
from typed
