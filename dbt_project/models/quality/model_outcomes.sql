-- Whom each model would have been asked about on past days and what they did next: the same customers and outcomes as
-- in ml/features.py and ml/labels.py.
with cutoffs as (

    select * from {{ ref('model_cutoffs') }}

),

permitted as (

    select customer_id from {{ ref('dim_customer_permissions') }}
    where is_profiling_allowed

),

days as (

    select
        customer_id,
        transaction_date,
        bool_or(is_purchase) as is_purchase,
        cast(sum(value_amount) as double) as value_amount
    from {{ ref('fct_transactions') }}
    where customer_id in (select permitted.customer_id from permitted)
    group by customer_id, transaction_date

),

seen as (

    select
        cutoffs.model,
        cutoffs.horizon_days,
        cutoffs.cutoff_date,
        cutoffs.active_window_days,
        days.*,
        days.transaction_date <= cutoffs.cutoff_date as is_past
    from cutoffs
    inner join days on days.transaction_date <= cutoffs.cutoff_date + cast(cutoffs.horizon_days as integer)
    where not cutoffs.is_about_contracts

),

customers as (

    select
        model,
        horizon_days,
        cutoff_date,
        customer_id,
        count(*) filter (where is_purchase and is_past) > 1
        and sum(value_amount) filter (where is_past) > 0 as is_repeat_customer,
        bool_or(is_purchase and not is_past) as buys_again,
        coalesce(sum(value_amount) filter (where not is_past), 0) as future_amount
    from seen
    group by model, horizon_days, cutoff_date, active_window_days, customer_id
    having
        {{ days_between('max(transaction_date) filter (where is_purchase and is_past)', 'cutoff_date') }}
        < coalesce(active_window_days, 1000000)

)

select
    cutoffs.model,
    cutoffs.horizon_days,
    cutoffs.role,
    any_value(cutoffs.is_about_contracts) as is_about_contracts,
    any_value(cutoffs.history_days) as history_days,
    any_value(cutoffs.needed_history_days) as needed_history_days,
    coalesce(any_value(contracts.customer_count), count(distinct customers.customer_id)) as customer_count,
    coalesce(any_value(contracts.positive_count), count(*) filter (where not customers.buys_again)) as positive_count,
    coalesce(any_value(contracts.negative_count), count(*) filter (where customers.buys_again)) as negative_count,
    count(*) filter (where customers.is_repeat_customer) as repeat_customer_count,
    round(avg(customers.future_amount), 4) as mean_amount,
    round(stddev_samp(customers.future_amount), 4) as amount_deviation
from cutoffs
left join customers
    on
        cutoffs.model = customers.model
        and cutoffs.horizon_days = customers.horizon_days
        and cutoffs.cutoff_date = customers.cutoff_date
left join {{ ref('model_contract_outcomes') }} as contracts
    on
        cutoffs.model = contracts.model
        and cutoffs.horizon_days = contracts.horizon_days
        and cutoffs.role = contracts.role
group by cutoffs.model, cutoffs.horizon_days, cutoffs.role
order by cutoffs.model, cutoffs.horizon_days, cutoffs.role
