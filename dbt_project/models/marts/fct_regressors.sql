with regressors as (

    select * from {{ ref('stg_regressors') }}

)

select
    date,
    name,
    region,
    value
from regressors
order by name, region nulls first, date
