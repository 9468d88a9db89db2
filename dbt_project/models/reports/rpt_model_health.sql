with serving as (

    select *
    from {{ source('ml', 'model_versions') }}
    where status in ('champion', 'rule')
    qualify row_number() over (
        partition by model, horizon_days order by as_of_date desc, trained_at desc, model_version desc
    ) = 1

),

compared as (

    {{ models_beside_rules() }}

),

outcomes as (

    select
        model,
        horizon_days,
        max(matured_date) as outcome_matured_date,
        max_by(value, matured_date) filter (where metric in ('auc', 'normalised_gini')) as outcome_rank_value,
        max_by(value, matured_date) filter (where metric in ('brier', 'rmse')) as outcome_loss_value,
        max_by(value, matured_date) filter (
            where metric in ('calibration_in_the_large', 'bias')
        ) as outcome_calibration_value
    from {{ source('ml', 'score_outcomes') }}
    -- What was back-filled was never published, and is no grade of what was.
    where not is_backfilled
    group by model, horizon_days

),

warned as (

    select
        model_version,
        {{ joined('warning', 'kind, warning', among="kind = 'fairness'") }} as fairness_warning,
        {{ joined('warning', 'kind, warning') }} as warning,
        bool_or(kind = 'stale') as is_stale
    from {{ source('ml', 'model_warnings') }}
    group by model_version

)

select
    serving.model,
    serving.horizon_days,
    serving.model_version,
    serving.status,
    serving.served_by,
    serving.candidate,
    serving.reason,
    serving.as_of_date as trained_as_of_date,
    cast({{ days_between('serving.as_of_date', 'as_of.as_of_date') }} as integer) as age_days,
    compared.test_cutoff_date,
    compared.rank_metric,
    compared.rank_value,
    compared.best_rule_rank_value,
    compared.loss_metric,
    compared.loss_value,
    compared.best_rule_loss_value,
    outcomes.outcome_matured_date,
    outcomes.outcome_rank_value,
    outcomes.outcome_loss_value,
    outcomes.outcome_calibration_value,
    drifted.drift,
    drifted.ks,
    coalesce(warned.is_stale, false) as is_stale,
    warned.fairness_warning,
    warned.warning
from serving
cross join {{ ref('dim_as_of') }} as as_of
left join compared on serving.model_version = compared.model_version
left join outcomes on serving.model = outcomes.model and serving.horizon_days = outcomes.horizon_days
left join warned on serving.model_version = warned.model_version
left join {{ source('ml', 'model_drift') }} as drifted
    on serving.model = drifted.model and serving.horizon_days = drifted.horizon_days
order by serving.model, serving.horizon_days
