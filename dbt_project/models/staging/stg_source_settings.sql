select
    source_name,
    timezone,
    currency,
    requested_as_of_date,
    known_at
from {{ source('raw', 'source_settings') }}
