-- CTEs that end in `spend` and `responses`: per campaign of no declared experiment the difference from whoever stands beside
-- those contacted in `compared_by`. None of it is an effect: no random draw is declared.
{% macro campaign_differences(window_days) -%}
spend as (

    select
        campaign_id,
        'net_amount' as outcome,
        false as is_proportion,
        design,
        false as is_effect,
        {{ why_no_effect() }} as reason,
        cast(null as string) as experiment_id,
        cast(null as string) as arm,
        {{ window_days }} as window_days,
        case when design = 'matched' then matched_count else contact_count end as contacted_count,
        case design when 'controls' then control_count when 'matched' then twin_count end as comparison_count,
        case when design = 'controls' and are_means_told then mean_amount end as contacted_mean,
        case when design = 'controls' and are_means_told then control_mean_amount end as comparison_mean,
        case design when 'controls' then effect when 'matched' then difference end as difference,
        case design when 'controls' then effect - effect_half_width when 'matched' then difference - difference_half_width end
            as difference_lower,
        case design when 'controls' then effect + effect_half_width when 'matched' then difference + difference_half_width end
            as difference_upper,
        case design when 'controls' then 'welch' when 'matched' then 'matched pairs' end as interval_method
    from compared_by

),

shares as (

    -- Nobody who was not contacted can respond: responses stand beside those of controls alone.
    select
        *,
        cast(response_count as double) / contact_count as p,
        {{ wilson('response_count', 'contact_count', '-') }} as p_lower,
        {{ wilson('response_count', 'contact_count', '+') }} as p_upper,
        cast(control_response_count as double) / nullif(control_count, 0) as q,
        {{ wilson('control_response_count', 'control_count', '-') }} as q_lower,
        {{ wilson('control_response_count', 'control_count', '+') }} as q_upper,
        design = 'controls'
        and (response_count = 0 or response_count >= {{ smallest_group() }})
        and (control_response_count = 0 or control_response_count >= {{ smallest_group() }}) as is_told
    from compared_by

),

responses as (

    select
        campaign_id,
        'response' as outcome,
        true as is_proportion,
        case when design = 'controls' then design else 'none' end as design,
        false as is_effect,
        case when design = 'matched' then 'nobody was held out, and nobody else can respond' else {{ why_no_effect() }} end
            as reason,
        cast(null as string) as experiment_id,
        cast(null as string) as arm,
        {{ window_days }} as window_days,
        contact_count as contacted_count,
        case when design = 'controls' then control_count end as comparison_count,
        case when response_count = 0 or response_count >= {{ smallest_group() }} then p end as contacted_mean,
        case when is_told then q end as comparison_mean,
        case when is_told then p - q end as difference,
        case when is_told then p - q - sqrt(pow(p - p_lower, 2) + pow(q_upper - q, 2)) end as difference_lower,
        case when is_told then p - q + sqrt(pow(p_upper - p, 2) + pow(q - q_lower, 2)) end as difference_upper,
        case when is_told then 'newcombe' end as interval_method
    from shares

)
{%- endmacro %}

{% macro why_no_effect() -%}
    case design
        when 'controls' then 'controls are marked, and no random draw is declared: a difference, no effect'
        when 'matched' then 'nobody was held out: a difference from others who came most like them, no effect'
        else 'nobody to compare with, or days that are not over or not in the data'
    end
{%- endmacro %}
