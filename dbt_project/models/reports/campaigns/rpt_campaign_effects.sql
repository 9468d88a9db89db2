{% set window_days, least_group = 30, 30 %}

with {{ campaigns_compared(window_days, least_group) }},

{{ randomised_effects() }},

compared_by as (

    select
        compared.*,
        case
            when not compared.is_window_complete then 'none'
            when compared.comparison = 'control' then 'controls'
            else compared.comparison
        end as design
    from compared
    left join arms on compared.campaign_id = arms.campaign_id
    where compared.contact_count > 0 and arms.campaign_id is null

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
