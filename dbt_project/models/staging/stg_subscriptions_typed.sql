with received as (

    {{ received('subscriptions') }}

),

typed as (

    select
        {{ as_text('subscription_id') }} as subscription_id,
        {{ as_text('customer_id') }} as customer_id,
        {{ as_timestamp('started_at') }} as started_at,
        {{ as_timestamp('ended_at') }} as ended_at,
        {{ as_text('plan') }} as plan,
        {{ as_money('monthly_amount') }} as monthly_amount,
        {{ as_timestamp('updated_at') }} as updated_at,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('subscription_id') }}
            {{ missing('started_at') }}
            {{ not_castable('started_at', as_timestamp('started_at')) }}
            {{ not_castable('ended_at', as_timestamp('ended_at')) }}
            {{ not_castable('monthly_amount', as_money('monthly_amount')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    * {{ except() }} (_defect),
    coalesce(_defect, case
        when ended_at < started_at then 'out_of_range.ended_at'
    end) as _defect,
    {{ content_hash([
        'subscription_id', 'customer_id', 'started_at', 'ended_at', 'plan', 'monthly_amount'
    ]) }} as content_hash
from typed
