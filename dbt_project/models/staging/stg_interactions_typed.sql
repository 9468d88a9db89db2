with received as (

    {{ received('interactions') }}

),

typed as (

    select
        {{ as_text('customer_id') }} as customer_id,
        {{ as_timestamp('occurred_at') }} as occurred_at,
        lower({{ as_text('kind') }}) as kind,
        {{ as_text('channel') }} as channel,
        {{ as_text('product_id') }} as product_id,
        {{ as_double('value') }} as value,
        {{ as_timestamp('updated_at') }} as updated_at,
        _received_at,
        _keep_repeats,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('customer_id') }}
            {{ missing('occurred_at') }}
            {{ missing('kind') }}
            {{ not_castable('occurred_at', as_timestamp('occurred_at')) }}
            {{ not_castable('value', as_double('value')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    * {{ except() }} (_received_at, _defect),
    coalesce(_defect, case
        when occurred_at < timestamp '1900-01-01 00:00:00' then 'out_of_range.occurred_at'
        when occurred_at > _received_at + interval '1' day then 'out_of_range.occurred_at'
    end) as _defect,
    {{ content_hash(['customer_id', 'occurred_at', 'kind', 'channel', 'product_id', 'value']) }} as content_hash
from typed
