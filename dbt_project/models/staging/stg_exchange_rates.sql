select * {{ except() }} (row_status, row_reason, {{ provenance() }})
from {{ ref('stg_exchange_rates_classified') }}
where row_status = 'accepted'
