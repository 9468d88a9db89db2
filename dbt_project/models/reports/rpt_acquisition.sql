with predictions as (

    select * from {{ source('ml', 'clv_predictions') }}
    qualify horizon_days = max(horizon_days) over ()

),

{{ acquired_customers() }},

acquired as (

    -- Predictions of those alone whose cost is known: what they bring and what they cost is about the same people.
    select
        customers.acquisition_channel,
        customers.cohort_month,
        count(*) as customer_count,
        count(customers.acquisition_cost_amount) as costed_customer_count,
        sum(customers.acquisition_cost_amount) as acquisition_cost_amount,
        max(predictions.horizon_days) as clv_horizon_days,
        case
            when count(predictions.expected_amount) = count(customers.acquisition_cost_amount)
                then round({{ exact_average('predictions.expected_amount') }}, 4)
        end as expected_amount
    from customers
    left join predictions
        on customers.customer_id = predictions.customer_id and customers.acquisition_cost_amount is not null
    group by customers.acquisition_channel, customers.cohort_month

),

cumulated as (

    select
        customers.acquisition_channel,
        customers.cohort_month,
        -- A return that came before the first purchase counts from the cohort month on.
        greatest(customers.cohort_month, date_trunc('month', transactions.transaction_date)) as month_start,
        sum(transactions.value_amount) as value_amount,
        sum(sum(transactions.value_amount)) over (
            partition by customers.acquisition_channel, customers.cohort_month
            order by greatest(customers.cohort_month, date_trunc('month', transactions.transaction_date))
        ) as value_so_far_amount
    from {{ ref('fct_transactions') }} as transactions
    inner join customers on transactions.customer_id = customers.customer_id
    where customers.acquisition_cost_amount is not null
    group by customers.acquisition_channel, customers.cohort_month, month_start

),

measured as (

    select
        acquired.*,
        as_of.value_basis,
        sum(cumulated.value_amount) as value_amount,
        min({{ months_between_starts('acquired.cohort_month', 'cumulated.month_start') }}) filter (
            where cumulated.value_so_far_amount >= acquired.acquisition_cost_amount
            and last_day(cumulated.month_start) <= as_of.as_of_date
        ) as payback_month_number
    from acquired
    cross join {{ ref('dim_as_of') }} as as_of
    left join cumulated
        on
            acquired.acquisition_channel = cumulated.acquisition_channel
            and acquired.cohort_month is not distinct from cumulated.cohort_month
    group by all

)

select
    acquisition_channel,
    cohort_month,
    value_basis,
    {{ unless_few('customer_count', 'customer_count') }} as customer_count,
    {{ unless_few('costed_customer_count', 'costed_customer_count') }} as costed_customer_count,
    {% for name, value in [
        ('acquisition_cost_amount', 'cast(acquisition_cost_amount as decimal(38, 4))'),
        ('average_acquisition_cost_amount', 'round(cast(acquisition_cost_amount as double) / costed_customer_count, 4)'),
        ('value_amount', 'cast(value_amount as decimal(38, 4))'),
        ('average_value_amount', 'round(cast(value_amount as double) / costed_customer_count, 4)'),
        ('payback_month_number', 'cast(payback_month_number as integer)'),
        ('clv_horizon_days', 'clv_horizon_days')
    ] -%}
    {{ unless_few('costed_customer_count', value) }} as {{ name }},
    {% endfor -%}
    {{ unless_few('costed_customer_count', 'expected_amount') }} as average_expected_amount,
    round(average_value_amount + expected_amount, 4) as average_lifetime_value_amount,
    round(average_lifetime_value_amount / nullif(average_acquisition_cost_amount, 0), 4) as clv_to_cac
from measured
order by acquisition_channel, cohort_month
