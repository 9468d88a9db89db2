-- The latest test's past days, as in ml/backtest.py: one horizon apart, the first tests, the second calibrates.
with span as (

    select
        min(transactions.transaction_date) as first_date,
        any_value(as_of.as_of_date) as as_of_date
    from {{ ref('dim_as_of') }} as as_of
    left join {{ ref('fct_transactions') }} as transactions on transactions.is_purchase

),

reached as (

    select
        settings.*,
        span.as_of_date,
        coalesce(date_diff('day', span.first_date, span.as_of_date), 0) as history_days,
        settings.minimum_history_days
        + settings.horizon_days * 2 as needed_history_days
    from {{ ref('stg_model_settings') }} as settings
    cross join span

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
    history_days,
    needed_history_days
from ladder
order by model, horizon_days, cutoff_date
