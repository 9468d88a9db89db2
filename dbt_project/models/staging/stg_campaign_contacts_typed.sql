with received as (

    {{ received('campaign_contacts') }}

),

typed as (

    select
        {{ as_text('customer_id') }} as customer_id,
        {{ as_text('campaign_id') }} as campaign_id,
        {{ as_timestamp('contacted_at') }} as contacted_at,
        {{ as_boolean('is_control') }} as is_control,
        {{ as_timestamp('responded_at') }} as responded_at,
        {{ as_timestamp('updated_at') }} as updated_at,
        {{ origin() }},
        coalesce(_defect, case
            {{ missing('customer_id') }}
            {{ missing('campaign_id') }}
            {{ not_castable('contacted_at', as_timestamp('contacted_at')) }}
            {{ not_castable('is_control', as_boolean('is_control')) }}
            {{ not_castable('responded_at', as_timestamp('responded_at')) }}
            {{ not_castable('updated_at', as_timestamp('updated_at')) }}
        end) as _defect
    from received

)

select
    *,
    {{ content_hash(['customer_id', 'campaign_id', 'contacted_at', 'is_control', 'responded_at']) }} as content_hash
from typed
