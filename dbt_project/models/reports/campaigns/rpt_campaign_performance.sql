{% set window_days, least_group = 30, 30 %}

with {{ campaigns_compared(window_days, least_group) }}

select
    campaign_id,
    name,
    kind,
    campaign_date,
    {{ window_days }} as window_days,
    is_window_complete,
    {{ unless_few('contact_count', 'contact_count') }} as contact_count,
    {{ unless_few('control_count', 'control_count') }} as control_count,
    {% for name, value in [
        ('response_count', 'response_count'),
        ('response_rate', 'round(cast(response_count as double) / nullif(contact_count, 0), 9)'),
        ('response_rate_lower', wilson('response_count', 'contact_count', '-')),
        ('response_rate_upper', wilson('response_count', 'contact_count', '+'))
    ] -%}
    case when contact_count >= {{ smallest_group() }} then {{ unless_few('response_count', value) }} end as {{ name }},
    {% endfor -%}
    {% for name, value in [
        ('buyer_count', 'buyer_count'), ('purchase_count', 'cast(purchase_count as bigint)'),
        ('net_amount', 'cast(net_amount as decimal(38, 4))'), ('average_spend_amount', 'round(mean_amount, 4)')
    ] -%}
    {{ unless_few('buyer_count', value) }} as {{ name }},
    {% endfor -%}
    cost_amount,
    case when is_window_complete then comparison else 'none' end as comparison,
    {% for name, value, condition in [
        ('effect', 'effect', "comparison = 'control' and is_window_complete"),
        ('difference', 'difference', "comparison = 'matched' and is_window_complete"),
        ('placebo_difference', 'placebo', "comparison = 'matched' and is_placebo_known")
    ] -%}
    case when {{ condition }} then round({{ value }}, 4) end as {{ name }}_amount,
    case when {{ condition }} then round({{ value }} - {{ value }}_half_width, 4) end as {{ name }}_lower,
    case when {{ condition }} then round({{ value }} + {{ value }}_half_width, 4) end as {{ name }}_upper,
    {% endfor -%}
    case when comparison = 'matched' then matched_count end as matched_count,
    case when comparison = 'matched' then twin_count end as matched_customer_count
from compared
order by campaign_date, campaign_id
