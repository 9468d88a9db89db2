with loads as (

    select * from {{ ref('stg_loads') }}

)

select
    entity,
    source_file,
    outcome,
    row_count,
    received_at,
    note
from loads
order by entity, received_at, source_file
