with as_of as (

    select * from {{ ref('stg_as_of') }}

),

settings as (

    select * from {{ ref('stg_source_settings') }}

)

select
    as_of.as_of_date,
    settings.source_name,
    settings.timezone,
    settings.currency
from as_of
cross join settings
