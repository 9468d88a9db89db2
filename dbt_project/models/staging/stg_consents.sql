select * {{ except() }} (row_status, row_reason, {{ provenance() }})
from {{ ref('stg_consents_classified') }}
where row_status = 'accepted'
