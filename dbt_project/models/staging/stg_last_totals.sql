select
    as_of_date,
    entity,
    measure,
    accepted
from {{ source('raw', 'last_totals') }}
