select
    source_name,
    timezone,
    currency,
    has_feedback_text,
    satisfied_from,
    is_consent_required,
    requested_as_of_date,
    known_at
from {{ source('raw', 'source_settings') }}
