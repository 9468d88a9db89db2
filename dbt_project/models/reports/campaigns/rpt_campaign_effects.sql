{% set window_days, least_group = 30, 30 %}

with {{ campaigns_compared(window_days, least_group) }},

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
            when results.effect is null then null
            when results.analysis = 'sequential' then 'sequential'
            when results.is_proportion then 'newcombe'
            else 'welch'
        end as interval_method
    from {{ ref('stg_experiment_arms') }} as arms
    inner join results on arms.experiment_id = results.experiment_id and arms.arm = results.arm
    where not arms.is_control

),

declared as (

    select distinct campaign_id as declared_id from {{ ref('stg_experiment_arms') }}

),

compared_by as (

    select
        compared.*,
        case
            when not compared.is_window_complete then 'none'
            when compared.comparison = 'control' then 'controls'
            else compared.comparison
        end as design
    from compared
    left join declared on compared.campaign_id = declared.declared_id
    where compared.contact_count > 0 and declared.declared_id is null

),

{{ campaign_differences(window_days) }},

differences as (

    select * from randomised
    union all
    select * from spend
    union all
    select * from responses

)

select
    differences.campaign_id,
    compared.name,
    compared.kind,
    compared.campaign_date,
    differences.outcome,
    differences.is_proportion,
    differences.design,
    differences.is_effect,
    differences.reason,
    differences.experiment_id,
    differences.arm,
    cast(differences.window_days as bigint) as window_days,
    {{ unless_few('differences.contacted_count', 'differences.contacted_count') }} as contacted_count,
    {{ unless_few('differences.comparison_count', 'differences.comparison_count') }} as comparison_count,
    round(differences.contacted_mean, 9) as contacted_mean,
    round(differences.comparison_mean, 9) as comparison_mean,
    round(differences.difference, 9) as difference,
    round(differences.difference_lower, 9) as difference_lower,
    round(differences.difference_upper, 9) as difference_upper,
    differences.interval_method
from differences
inner join compared on differences.campaign_id = compared.campaign_id
order by compared.campaign_date, differences.campaign_id, differences.experiment_id, differences.outcome
