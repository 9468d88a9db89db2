with received as (

    {{ received('feedback') }}

),

typed as (

    select
        {{ as_text('feedback_id') }} as feedback_id,
        {{ as_text('customer_id') }} as customer_id,
        {{ as_text('transaction_id') }} as transaction_id,
        {{ as_text('product_id') }} as product_id,
        {{ as_timestamp('created_at') }} as created_at,
        {{ as_double('rating') }} as rating,
        {{ as_text('channel') }} as channel,
        {{ as_timestamp('updated_at') }} as updated_at,
        _received_at,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('feedback_id') }}
            {{ not_castable('created_at', as_timestamp('created_at')) }}
            {{ not_castable('rating', as_double('rating')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    * {{ except() }} (_received_at, _defect),
    coalesce(_defect, case
        when created_at < timestamp '1900-01-01 00:00:00' then 'out_of_range.created_at'
        when created_at > _received_at + interval '1' day then 'out_of_range.created_at'
    end) as _defect,
    {{ content_hash([
        'feedback_id', 'customer_id', 'transaction_id', 'product_id', 'created_at', 'rating', 'channel'
    ]) }} as content_hash
from typed
