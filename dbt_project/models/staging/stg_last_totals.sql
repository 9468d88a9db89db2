select
    totals.as_of_date,
    totals.entity,
    totals.measure,
    totals.accepted
from {{ source('raw', 'past_totals') }} as totals
cross join {{ ref('stg_as_of') }} as today
where totals.as_of_date < today.as_of_date
qualify totals.as_of_date = max(totals.as_of_date) over ()
