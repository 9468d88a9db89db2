with results as (

    select * from {{ source('ml', 'experiment_results') }}

),

beside_control as (

    select
        *,
        max(mean) filter (where is_control) over (partition by experiment_id, metric) as control_mean
    from results

)

select
    experiment_id,
    purpose,
    assigned_by,
    analysis,
    starts_on,
    ends_on,
    status,
    reason,
    arm,
    is_control,
    assigned_count,
    declared_share,
    sample_ratio_p_value,
    is_sample_ratio_kept,
    metric,
    is_proportion,
    customer_count,
    round(mean, 9) as mean,
    round(control_mean, 9) as control_mean,
    confidence,
    round(effect, 9) as effect,
    round(effect_lower, 9) as effect_lower,
    round(effect_upper, 9) as effect_upper,
    round(effect / nullif(abs(control_mean), 0), 9) as relative_effect,
    effect_p_value,
    round(cuped_effect, 9) as cuped_effect,
    round(cuped_lower, 9) as cuped_lower,
    round(cuped_upper, 9) as cuped_upper,
    cuped_p_value,
    round(variance_reduction, 9) as variance_reduction,
    correction,
    corrected_p_value,
    conclusion
from beside_control
order by experiment_id asc, metric asc, is_control desc, arm asc
