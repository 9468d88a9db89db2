-- Money in another currency counts in that currency alone: its rates went with the days of the rows.
with erased as (

    select * from {{ source('raw', 'erased_rows') }}

),

settings as (

    select currency as reporting_currency from {{ ref('stg_source_settings') }}

)

select
    erased.entity,
    erased.source_file,
    nullif(erased.currency, settings.reporting_currency) as foreign_currency,
    cast(erased.row_count as bigint) as row_count,
    case
        when coalesce(erased.currency, settings.reporting_currency) = settings.reporting_currency
            then cast(erased.amount as decimal(38, 4))
    end as amount,
    cast(erased.amount as decimal(38, 4)) as original_amount
from erased
cross join settings
