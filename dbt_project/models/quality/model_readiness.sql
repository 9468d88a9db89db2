-- The verdict that training comes to, before any training: enough history, customers and outcomes of both kinds or not.
with outcomes as (

    select
        *,
        case model
            when 'churn' then least(positive_count, negative_count)
            else least(repeat_customer_count, negative_count)
        end as rarer_count
    from {{ ref('model_outcomes') }}

),

tested as (

    select * from outcomes
    where role = 'test'

),

learned as (

    -- Churn is learned from earlier days where there are any, else from the one that calibrates.
    select * from outcomes
    where role in ('training', 'calibration')
    qualify row_number() over (
        partition by model, horizon_days order by (role = 'training') = (model = 'churn') desc
    ) = 1

),

counted as (

    select
        tested.*,
        settings.minimum_customers,
        settings.minimum_outcomes,
        least(tested.customer_count, coalesce(learned.customer_count, 0)) as usable_customer_count,
        least(tested.rarer_count, coalesce(learned.rarer_count, 0)) as usable_outcome_count,
        case tested.model
            when 'churn' then {{ auc_half_width('tested.positive_count', 'tested.negative_count') }}
            else 1.96 * tested.amount_deviation / nullif(sqrt(tested.customer_count) * tested.mean_amount, 0)
        end as expected_precision
    from tested
    inner join {{ ref('stg_model_settings') }} as settings
        on tested.model = settings.model and tested.horizon_days = settings.horizon_days
    left join learned on tested.model = learned.model and tested.horizon_days = learned.horizon_days

),

judged as (

    select
        *,
        case
            when customer_count = 0 and is_about_contracts
                then 'no contract ran ' || horizon_days || ' days before the end of the data'
            when customer_count = 0
                then 'no customer bought ' || horizon_days || ' days or more before the end of the data'
            when history_days < needed_history_days and is_about_contracts
                then
                    'ends of contracts on record for ' || history_days || ' days, of ' || needed_history_days
                    || ' needed for training and test'
            when history_days < needed_history_days
                then history_days || ' days of history, of ' || needed_history_days || ' needed for training and test'
            when usable_customer_count < minimum_customers
                then usable_customer_count || ' customers on a past day, of ' || minimum_customers || ' needed'
            when usable_outcome_count < minimum_outcomes
                then usable_outcome_count || ' outcomes of the rarer kind, of ' || minimum_outcomes || ' needed'
        end as reason
    from counted

)

select
    model,
    horizon_days,
    case when reason is null then 'trainable' when customer_count > 0 then 'rule only' else 'impossible' end as level,
    reason,
    coalesce(is_about_contracts, false) as is_about_contracts,
    history_days,
    needed_history_days,
    customer_count,
    positive_count,
    negative_count,
    round(expected_precision, 4) as expected_precision
from judged
order by model, horizon_days
