select * exclude (row_status, row_reason, content_hash, {{ provenance() }})
from {{ ref('stg_products_classified') }}
where row_status = 'accepted'
