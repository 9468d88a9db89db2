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
        _defect,
        occurred_at as _received_occurred_at,
        amount as _received_amount,
        quantity as _received_quantity,
        discount_amount as _received_discount_amount,
        cost_amount as _received_cost_amount,
        updated_at as _received_updated_at
    from received

)

select
    * {{ except() }} (
        kind, _defect, _cancellation_prefix, _adjustment_prefix, _received_occurred_at, _received_amount,
        _received_quantity, _received_discount_amount, _received_cost_amount, _received_updated_at
    ),
    -- What the source says of the line goes first, then how it marks its transactions, then the sign.
    coalesce(kind, case
        when {{ begins_with('transaction_id', '_cancellation_prefix') }} then 'cancellation'
        when {{ begins_with('transaction_id', '_adjustment_prefix') }} then 'adjustment'
        when amount < 0 or quantity < 0 then 'return'
        else 'sale'
    end) as kind,
    coalesce(_defect, case
        when transaction_id is null then 'missing_value.transaction_id'
        {% for name in ['occurred_at', 'amount'] -%}
        when {{ name }} is null and {{ as_text('_received_' ~ name) }} is null then 'missing_value.{{ name }}'
        {% endfor -%}
        {% for name in ['occurred_at', 'amount', 'quantity', 'discount_amount', 'cost_amount', 'updated_at'] -%}
        when {{ name }} is null and {{ as_text('_received_' ~ name) }} is not null then 'invalid_value.{{ name }}'
        {% endfor -%}
        when kind not in ('sale', 'return', 'cancellation', 'adjustment') then 'invalid_value.kind'
        when occurred_at < timestamp '1900-01-01 00:00:00' then 'out_of_range.occurred_at'
        when occurred_at > _received_at + interval '1' day then 'out_of_range.occurred_at'
    end) as _defect,
    {{ quick_hash([
        'transaction_id', 'customer_id', 'occurred_at', 'product_id', 'quantity', 'amount', 'discount_amount',
        'cost_amount', 'currency', 'kind', 'channel', 'store_id', 'country', 'campaign_id'
    ]) }} as content_hash
from typed
