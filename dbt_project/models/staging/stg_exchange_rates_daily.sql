-- A rate serves its own day and the seven after it, as long as no newer one is there; later days have none.
with rates as (

    select * from {{ ref('stg_exchange_rates') }}

),

bounded as (

    select
        currency,
        date,
        rate,
        least(date + 7, lead(date) over (partition by currency order by date) - 1) as last_date
    from rates

)

select
    currency,
    {{ each_day('date', 'last_date') }} as date,
    rate
from bounded
