select * exclude (row_status, row_reason, content_hash, _received_at, _keep_repeats, {{ provenance() }})
from {{ ref('stg_transactions_classified') }}
where row_status = 'accepted'
