with received as (

    {{ received('regressors', has_customer=false) }}

),

typed as (

    select
        {{ as_date('date') }} as date,
        {{ as_text('name') }} as name,
        {{ as_double('value') }} as value,
        {{ as_text('region') }} as region,
        {{ as_timestamp('updated_at') }} as updated_at,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('date') }}
            {{ missing('name') }}
            {{ missing('value') }}
            {{ not_castable('date', as_date('date')) }}
            {{ not_castable('value', as_double('value')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    *,
    {{ content_hash(['date', 'name', 'value', 'region']) }} as content_hash
from typed
