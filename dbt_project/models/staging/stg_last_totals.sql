select
    as_of_date,
    entity,
    measure,
    accepted
from {{ source('raw', 'past_totals') }}
where as_of_date < (select as_of_date from {{ ref('stg_as_of') }})
qualify as_of_date = max(as_of_date) over ()
