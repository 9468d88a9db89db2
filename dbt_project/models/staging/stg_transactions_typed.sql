with received as (

    {{ received('transactions') }}

),

typed as (

    select
        {{ as_text('transaction_id') }} as transaction_id,
        {{ as_text('customer_id') }} as customer_id,
        {{ as_timestamp('occurred_at') }} as occurred_at,
        {{ as_text('product_id') }} as product_id,
        {{ as_money('quantity') }} as quantity,
        {{ as_money('amount') }} as amount,
        {{ as_money('discount_amount') }} as discount_amount,
        {{ as_money('cost_amount') }} as cost_amount,
        coalesce(upper({{ as_text('currency') }}), _currency) as currency,
        _currency as reporting_currency,
        lower({{ as_text('kind') }}) as kind,
        {{ as_text('channel') }} as channel,
        {{ as_text('store_id') }} as store_id,
        {{ as_text('country') }} as country,
        {{ as_text('campaign_id') }} as campaign_id,
        {{ as_timestamp('updated_at') }} as updated_at,
        _cancellation_prefix,
        _adjustment_prefix,
        _received_at,
        _keep_repeats,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('transaction_id') }}
            {{ missing('occurred_at') }}
            {{ missing('amount') }}
            {{ not_castable('occurred_at', as_timestamp('occurred_at')) }}
            {{ not_castable('amount', as_money('amount')) }}
            {{ not_castable('quantity', as_money('quantity')) }}
            {{ not_castable('discount_amount', as_money('discount_amount')) }}
            {{ not_castable('cost_amount', as_money('cost_amount')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    * {{ except() }} (kind, _defect, _cancellation_prefix, _adjustment_prefix),
    -- What the source says of the line goes first, then how it marks its transactions, then the sign.
    coalesce(kind, case
        when {{ begins_with('transaction_id', '_cancellation_prefix') }} then 'cancellation'
        when {{ begins_with('transaction_id', '_adjustment_prefix') }} then 'adjustment'
        when amount < 0 or quantity < 0 then 'return'
        else 'sale'
    end) as kind,
    coalesce(_defect, case
        when kind not in ('sale', 'return', 'cancellation', 'adjustment') then 'invalid_value.kind'
        when occurred_at < timestamp '1900-01-01 00:00:00' then 'out_of_range.occurred_at'
        when occurred_at > _received_at + interval '1' day then 'out_of_range.occurred_at'
    end) as _defect,
    {{ content_hash([
        'transaction_id', 'customer_id', 'occurred_at', 'product_id', 'quantity', 'amount', 'discount_amount',
        'cost_amount', 'currency', 'kind', 'channel', 'store_id', 'country', 'campaign_id'
    ]) }} as content_hash
from typed
