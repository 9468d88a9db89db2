-- CTEs that begin with `arms` and end in `randomised`: per campaign of a declared random draw and metric of its experiment, what
-- its arm changed. It is an effect unless the arms do not hold their shares.
{% macro randomised_effects() -%}
arms as (

    select * from {{ ref('stg_experiment_arms') }}
    where campaign_id is not null

),

results as (

    select
        *,
        max(customer_count) filter (where is_control) over (partition by experiment_id, metric) as control_count,
        max(mean) filter (where is_control) over (partition by experiment_id, metric) as control_mean
    from {{ source('ml', 'experiment_results') }}

),

randomised as (

    select
        arms.campaign_id,
        results.metric as outcome,
        results.is_proportion,
        'randomised' as design,
        results.effect is not null and coalesce(results.conclusion, '') <> 'invalid' as is_effect,
        case
            when results.conclusion = 'invalid' then 'the arms do not hold their declared shares'
            when results.effect is null then coalesce(results.reason, 'too few customers or outcomes to tell of')
        end as reason,
        arms.experiment_id,
        arms.arm,
        arms.window_days,
        results.customer_count as contacted_count,
        results.control_count as comparison_count,
        results.mean as contacted_mean,
        results.control_mean as comparison_mean,
        results.effect as difference,
        results.effect_lower as difference_lower,
        results.effect_upper as difference_upper,
        case
            when results.analysis = 'sequential' then 'sequential'
            when results.is_proportion then 'newcombe'
            else 'welch'
        end as interval_method
    from arms
    inner join results on arms.experiment_id = results.experiment_id and arms.arm = results.arm
    where not arms.is_control

)
{%- endmacro %}
