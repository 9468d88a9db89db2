select * {{ except() }} (row_status, row_reason, {{ provenance() }})
from {{ ref('stg_campaign_contacts_classified') }}
where row_status = 'accepted'
