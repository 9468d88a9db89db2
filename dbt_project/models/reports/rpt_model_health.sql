with versions as (

    select * from {{ source('ml', 'model_versions') }}

),

serving as (

    select *
    from versions
    where status in ('champion', 'rule')
    qualify row_number() over (
        partition by model, horizon_days order by as_of_date desc, trained_at desc, model_version desc
    ) = 1

),

graded as (

    select
        evaluations.*,
        trained.candidate is not null as is_model,
        case
            when evaluations.metric in ('auc', 'normalised_gini') then 'rank'
            when evaluations.metric in ('brier', 'rmse') then 'loss'
        end as quality
    from {{ source('ml', 'model_evaluations') }} as evaluations
    left join versions as trained
        on
            evaluations.model_version = trained.model_version
            and evaluations.candidate = trained.candidate
            and trained.status <> 'rule'
    -- The latest cut-off alone: the best figures of several days are nobody's.
    qualify rank() over (partition by evaluations.model_version order by evaluations.cutoff_date desc) = 1

),

compared as (

    select
        model_version,
        max(cutoff_date) as test_cutoff_date,
        max(metric) filter (where quality = 'rank') as rank_metric,
        max(value) filter (where quality = 'rank' and is_model) as rank_value,
        max(value) filter (where quality = 'rank' and not is_model) as best_rule_rank_value,
        max(metric) filter (where quality = 'loss') as loss_metric,
        min(value) filter (where quality = 'loss' and is_model) as loss_value,
        min(value) filter (where quality = 'loss' and not is_model) as best_rule_loss_value
    from graded
    group by model_version

),

outcomes as (

    select
        model,
        horizon_days,
        max(matured_date) as matured_date,
        max_by(value, matured_date) filter (where metric in ('auc', 'normalised_gini')) as outcome_rank_value,
        max_by(value, matured_date) filter (where metric in ('brier', 'rmse')) as outcome_loss_value
    from {{ source('ml', 'score_outcomes') }}
    group by model, horizon_days

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
    cast(as_of.as_of_date - serving.as_of_date as integer) as age_days,
    compared.test_cutoff_date,
    compared.rank_metric,
    compared.rank_value,
    compared.best_rule_rank_value,
    compared.loss_metric,
    compared.loss_value,
    compared.best_rule_loss_value,
    outcomes.matured_date as outcome_matured_date,
    outcomes.outcome_rank_value,
    outcomes.outcome_loss_value,
    drifted.drift
from serving
cross join {{ ref('dim_as_of') }} as as_of
left join compared on serving.model_version = compared.model_version
left join outcomes on serving.model = outcomes.model and serving.horizon_days = outcomes.horizon_days
left join {{ source('ml', 'model_drift') }} as drifted
    on serving.model = drifted.model and serving.horizon_days = drifted.horizon_days
order by serving.model, serving.horizon_days
