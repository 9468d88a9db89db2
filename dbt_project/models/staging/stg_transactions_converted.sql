with lines as (

    select * from {{ ref('stg_transactions_typed') }}

),

rates as (

    select * from {{ ref('stg_exchange_rates_daily') }}

),

rated as (

    select
        lines.*,
        rates.rate
    from lines
    left join rates on lines.currency = rates.currency and cast(lines.occurred_at as date) = rates.date

),

converted as (

    select
        * {{ except() }} (amount, discount_amount, cost_amount),
        amount as original_amount,
        {{ in_reporting_currency('amount') }} as amount,
        {{ in_reporting_currency('discount_amount') }} as discount_amount,
        {{ in_reporting_currency('cost_amount') }} as cost_amount
    from rated

)

select
    * {{ except() }} (currency, reporting_currency, rate, _defect),
    currency as original_currency,
    reporting_currency as currency,
    coalesce(_defect, case
        when currency <> reporting_currency and rate is null then 'missing_rate.currency'
        when amount is null then 'out_of_range.amount'
    end) as _defect
from converted
