-- CTEs that end in `compared`: per campaign what those contacted did in the days from their contact on, and beside whom that
-- stands: controls, else customers who came most like them, with at least `least_group` a side.
{% macro campaigns_compared(window_days, least_group) -%}
transactions as (

    select * from {{ ref('fct_transactions') }}
    where customer_id is not null

),

{{ campaign_days(window_days) }},

{{ spent_after_contact(window_days) }},

{{ matched_contacts(window_days) }},

{{ matched_means() }},

compared as (

    select
        campaigns.*,
        contacted.purchase_count,
        contacted.buyer_count,
        contacted.net_amount,
        contacted.mean_amount,
        control.mean_amount as control_mean_amount,
        least(contacted.buyer_count, control.buyer_count) >= {{ smallest_group() }} as are_means_told,
        case
            when least(campaigns.contact_count, campaigns.control_count) >= {{ least_group }} then 'control'
            when means.matched_count >= {{ least_group }} then 'matched'
            else 'none'
        end as comparison,
        means.matched_count,
        means.twin_count,
        means.difference,
        means.difference_half_width,
        means.placebo,
        means.placebo_half_width,
        contacted.mean_amount - control.mean_amount as effect,
        {{ t_quantile('least(campaigns.contact_count, campaigns.control_count) - 1') }}
        * sqrt(contacted.squared_error + control.squared_error) as effect_half_width
    from campaigns
    left join sides as contacted on campaigns.campaign_id = contacted.campaign_id and not contacted.is_control
    left join sides as control on campaigns.campaign_id = control.campaign_id and control.is_control
    left join means on campaigns.campaign_id = means.campaign_id

)
{%- endmacro %}
