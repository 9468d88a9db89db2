-- Accepted rows and money neither shrink nor grow against the last published day by more than the limits allow.
select *
from {{ ref('changes') }}
where not is_within_limits
