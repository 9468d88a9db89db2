with transactions as (

    select
        count(*) as line_count,
        count(customer_id) as known_line_count,
        count(product_id) as product_line_count,
        count(cost_amount) as cost_line_count,
        count(*) filter (where discount_amount <> 0) as discount_line_count
    from {{ ref('stg_transactions') }}

),

customers as (

    select
        count(*) as profile_count,
        count(coalesce(age_band, gender, income_band, cast(birth_date as varchar))) as demographic_count,
        count(coalesce(city, region, postal_code, country)) as place_count,
        count(acquisition_channel) as acquisition_count
    from {{ ref('stg_customers') }}

),

contacts as (

    select
        count(*) as contact_count,
        count(*) filter (where is_control) as control_count,
        count(responded_at) as response_count
    from {{ ref('stg_campaign_contacts') }}

),

counted as (

    select
        transactions.*,
        customers.*,
        contacts.*
    from transactions
    cross join customers
    cross join contacts

),

stated as (

    {% for capability, condition, lack in [
        ('kpis', 'line_count > 0', 'transactions: no row was accepted'),
        ('customer_features', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('segmentation_rfm', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('segmentation_lifecycle', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('churn', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('clv', 'known_line_count > 0', 'transactions.customer_id: not mapped, or every line is a guest'),
        ('clv_on_margin', 'cost_line_count > 0', 'transactions.cost_amount: not mapped'),
        ('product_analysis', 'product_line_count > 0', 'transactions.product_id: not mapped'),
        ('discount_analysis', 'discount_line_count > 0', 'transactions.discount_amount: not mapped, or always zero'),
        ('demographics', 'demographic_count > 0', 'customers: neither age, gender nor income is mapped'),
        ('regions', 'place_count > 0', 'customers: neither city, region, postal_code nor country is mapped'),
        ('acquisition', 'acquisition_count > 0', 'customers.acquisition_channel: not mapped'),
        ('campaign_response', 'response_count > 0', 'campaign_contacts.responded_at: not mapped, or nobody responded'),
        ('campaign_effect', 'control_count > 0', 'campaign_contacts.is_control: no control group, so no effect can be claimed'),
    ] -%}
    select
        '{{ capability }}' as capability,
        {{ condition }} as is_available,
        '{{ lack }}' as reason
    from counted
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    capability,
    is_available,
    case when not is_available then reason end as reason
from stated
order by capability
