with classified as (

    select * from {{ ref('int_rows_classified') }}

)

select
    entity,
    source_file,
    row_number,
    reason,
    field
from classified
where row_status = 'rejected'
order by entity, source_file, row_number, reason
