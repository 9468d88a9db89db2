select
    entity,
    source_file,
    outcome,
    row_count,
    received_at,
    note
from {{ source('raw', 'loads') }}
