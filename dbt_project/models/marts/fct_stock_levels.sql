with stock_levels as (

    select * from {{ ref('stg_stock_levels') }}

)

select
    product_id,
    date,
    on_hand_quantity,
    lead_time_days
from stock_levels
order by product_id, date
