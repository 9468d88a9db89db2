with received as (

    {{ received('campaigns', has_customer=false) }}

),

typed as (

    select
        {{ as_text('campaign_id') }} as campaign_id,
        {{ as_text('name') }} as name,
        {{ as_text('kind') }} as kind,
        {{ as_timestamp('started_at') }} as started_at,
        {{ as_timestamp('ended_at') }} as ended_at,
        {{ as_money('cost_amount') }} as cost_amount,
        {{ as_timestamp('updated_at') }} as updated_at,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('campaign_id') }}
            {{ not_castable('started_at', as_timestamp('started_at')) }}
            {{ not_castable('ended_at', as_timestamp('ended_at')) }}
            {{ not_castable('cost_amount', as_money('cost_amount')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    *,
    {{ content_hash(['campaign_id', 'name', 'kind', 'started_at', 'ended_at', 'cost_amount']) }} as content_hash
from typed
