-- Every row and every cent received is accounted for.
select *
from {{ ref('reconciliation') }}
where difference <> 0
