with counted as (

    select
        counts.*,
        as_of.value_basis
    from {{ ref('int_capabilities_counted') }} as counts
    cross join {{ ref('dim_as_of') }} as as_of

),

stated as (

    {% for capability, condition, lack in [
        ('kpis', 'line_count > 0', 'transactions: no row was accepted'),
        ('customer_features', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('segmentation_rfm', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('segmentation_lifecycle', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('segmentation_value', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('segmentation_behavioural', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('segmentation_demographic', 'demographic_count > 0', 'customers: neither age, gender nor income is mapped'),
        ('segmentation_geographic', 'place_count > 0', 'customers: neither city, region nor country is mapped'),
        ('churn', 'known_line_count > 0 or contract_count > 0',
            'transactions.customer_id: not mapped, or every line is a guest, and no contract of a known customer'),
        ('clv', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('clv_on_margin', "value_basis = 'margin'",
            'neither transactions.cost_amount nor products.unit_cost_amount gives the cost of everything sold to known customers'),
        ('purchase_hours', 'has_clock_times',
            'transactions.occurred_at: dates without times, or all at one time of the day'),
        ('product_categories', 'category_count > 0', 'products.category: not mapped, or known of no product'),
        ('product_analysis', 'product_line_count > 0', 'transactions.product_id: not mapped'),
        ('product_recommendations', 'known_product_line_count > 0',
            'transactions.product_id or customer_id: not mapped, or not of the same lines'),
        ('demand_forecasts', 'product_line_count > 0 and category_count > 0',
            'transactions.product_id: not mapped, or products.category of none'),
        ('reorder_suggestions', 'stock_count > 0 and priced_line_count > 0 and category_count > 0',
            'stock_levels: no row was accepted, or transactions.quantity or products.category is not mapped'),
        ('discount_analysis', 'discount_line_count > 0', 'transactions.discount_amount: not mapped, or always zero'),
        ('demographics', 'demographic_count > 0', 'customers: neither age, gender nor income is mapped'),
        ('price_sensitivity', 'priced_line_count > 0', 'transactions: quantity or product_id is not mapped'),
        ('regions', 'place_count + country_line_count > 0',
            'customers: neither city, region nor country is mapped, nor transactions.country'),
        ('regions_map', 'located_count > 0', 'customers: latitude and longitude are not mapped'),
        ('acquisition', 'acquisition_count > 0', 'customers.acquisition_channel: not mapped'),
        ('acquisition_cost', 'acquisition_cost_count > 0',
            'customers.acquisition_cost_amount: not mapped, or known of nobody, so CLV to CAC and payback are empty'),
        ('campaign_response', 'response_count > 0', 'campaign_contacts.responded_at: not mapped, or nobody responded'),
        ('campaign_effect', 'control_count > 0', 'campaign_contacts.is_control: no control group, so no effect can be claimed'),
        ('response_propensity', 'response_count > 0', 'campaign_contacts.responded_at: not mapped, or nobody responded'),
        ('uplift', 'experiment_arm_count > 0', 'experiments: no random draw is declared, whatever is_control says'),
        ('contact_conversion', 'contact_time_count + interaction_count > 0',
            'neither campaign_contacts.contacted_at nor interactions say when a customer was contacted'),
        ('holiday_effects', 'holiday_count > 0', 'holidays.country: not declared in the source file'),
        ('interactions', 'interaction_count > 0', 'interactions: no row was accepted'),
        ('feedback_ratings', 'rating_count > 0', 'feedback.rating: not mapped'),
        ('feedback_aspects', 'message_count > 0 and has_feedback_text', 'feedback.text: not mapped'),
        ('feedback_sentiment', 'rating_count > 0 and has_feedback_text', 'feedback.text and rating: not both are mapped'),
        ('subscriptions', 'contract_count > 0', 'subscriptions: no contract of a known customer was accepted'),
        ('contract_churn', 'ended_contract_count > 0', 'subscriptions.ended_at: not mapped, or no contract has ended'),
        ('consents', 'consent_count > 0', 'consents: not declared, so nobody is left out for want of it'),
        ('multi_currency', 'rate_count > 0', 'exchange_rates: none, so lines in another currency are rejected'),
        ('stock', 'stock_count > 0', 'stock_levels: no row was accepted'),
        ('regressors', 'regressor_count > 0', 'regressors: no row was accepted'),
    ] -%}
    select
        '{{ capability }}' as capability,
        {{ condition }} as is_available,
        '{{ lack }}' as reason
    from counted
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

models as (

    select
        model || '_model_' || horizon_days || '_days' as capability,
        level,
        reason,
        expected_precision
    from {{ ref('model_readiness') }}

)

select
    capability,
    is_available,
    case when not is_available then reason end as reason,
    case when is_available then 'available' else 'off' end as level,
    cast(null as double) as expected_precision
from stated
union all
select
    capability,
    level = 'trainable' as is_available,
    reason,
    level,
    expected_precision
from models
order by capability
