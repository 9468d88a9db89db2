-- The latest test's past days, as in ml/backtest.py: one horizon apart, the first tests, the second calibrates.
with span as (

    select
        min(transactions.transaction_date) as first_date,
        any_value(as_of.as_of_date) as as_of_date
    from {{ ref('dim_as_of') }} as as_of
    left join {{ ref('fct_transactions') }} as transactions on transactions.is_purchase

),

contracts as (

    select
        min(cast(started_at as date)) as first_start_date,
        min(cast(ended_at as date)) as first_end_date,
        count(*) > 0 as are_known
    from {{ ref('fct_subscriptions') }}
    where customer_id is not null

),

asked as (

    -- Before the first end on record, contracts that had ended may be missing, and who stayed tells nothing.
    select
        settings.*,
        span.as_of_date,
        settings.model = 'churn' and contracts.are_known as is_about_contracts,
        case
            when settings.model <> 'churn' or not contracts.are_known then span.first_date
            when contracts.first_end_date is not null
                then greatest(
                    contracts.first_start_date, contracts.first_end_date - cast(settings.horizon_days as integer)
                )
        end as first_date
    from {{ ref('stg_model_settings') }} as settings
    cross join span
    cross join contracts

),

reached as (

    select
        *,
        coalesce({{ days_between('first_date', 'as_of_date') }}, 0) as history_days,
        minimum_history_days + horizon_days * 2 as needed_history_days
    from asked

),

ladder as (

    select
        reached.*,
        case steps.step when 1 then 'test' when 2 then 'calibration' else 'training' end as role,
        reached.as_of_date - cast(steps.step * reached.horizon_days as integer) as cutoff_date
    from reached
    inner join range(1, 100) as steps (step)
        on
            steps.step = 1
            or (
                reached.history_days >= reached.needed_history_days
                and steps.step <= reached.maximum_training_cutoffs + 2
                and reached.history_days >= reached.minimum_history_days + steps.step * reached.horizon_days
            )

)

select
    model,
    horizon_days,
    cutoff_date,
    role,
    active_window_days,
    is_about_contracts,
    history_days,
    needed_history_days
from ladder
order by model, horizon_days, cutoff_date
