select
    rejected_row_share,
    rejected_amount_share,
    shrink_share,
    growth_factor
from {{ source('raw', 'limits') }}
