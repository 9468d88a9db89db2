select * {{ except() }} (row_status, row_reason, {{ provenance() }})
from {{ ref('stg_stock_levels_classified') }}
where row_status = 'accepted'
