-- One row per model version: the figures of the model that serves (where a rule does, the best of any model) and the
-- best of any rule on its latest test cut-off.

{% macro models_beside_rules() -%}
    select
        model_version,
        max(cutoff_date) as test_cutoff_date,
        max(metric) filter (where quality = 'rank') as rank_metric,
        max(value) filter (where quality = 'rank' and is_model) as rank_value,
        max(value) filter (where quality = 'rank' and is_rule) as best_rule_rank_value,
        max(metric) filter (where quality = 'loss') as loss_metric,
        min(value) filter (where quality = 'loss' and is_model) as loss_value,
        min(value) filter (where quality = 'loss' and is_rule) as best_rule_loss_value
    from (
        select
            evaluations.*,
            trained.candidate is null as is_rule,
            trained.candidate is not null
            and (serving.served_by is distinct from 'champion' or evaluations.candidate = serving.candidate) as is_model,
            case
                when evaluations.metric in ('auc', 'normalised_gini', 'recall_at_10') then 'rank'
                when evaluations.metric in ('brier', 'rmse', 'ndcg_loss_at_10') then 'loss'
            end as quality
        from {{ source('ml', 'model_evaluations') }} as evaluations
        left join {{ source('ml', 'model_versions') }} as trained
            on
                evaluations.model_version = trained.model_version
                and evaluations.candidate = trained.candidate
                and trained.status <> 'rule'
        left join {{ source('ml', 'model_versions') }} as serving
            on evaluations.model_version = serving.model_version and serving.served_by is not null
        -- The latest cut-off alone: the best figures of several days are nobody's.
        qualify rank() over (partition by evaluations.model_version order by evaluations.cutoff_date desc) = 1
    ) as graded
    group by model_version
{%- endmacro %}
