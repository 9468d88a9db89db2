with rates as (

    select * from {{ ref('stg_exchange_rates') }}

)

select
    date,
    currency,
    rate
from rates
order by currency, date
