-- What the capabilities ask about each entity, side by side in one row.
with transactions as (

    select
        count(*) as line_count,
        count(customer_id) as known_line_count,
        count(product_id) as product_line_count,
        count(*) filter (where customer_id is not null and product_id is not null) as known_product_line_count,
        count(*) filter (where discount_amount <> 0) as discount_line_count,
        coalesce(min({{ time_of_day('occurred_at') }}) < max({{ time_of_day('occurred_at') }}), false)
            as has_clock_times,
        count(*) filter (where product_id is not null and quantity > 0) as priced_line_count,
        count(*) filter (where customer_id is not null and country is not null) as country_line_count
    from {{ ref('stg_transactions') }}

),

customers as (

    select
        count(coalesce(age_band, gender, income_band, cast(birth_date as string))) as demographic_count,
        count(coalesce(city, region, country)) as place_count,
        count(latitude + longitude) as located_count,
        count(acquisition_channel) as acquisition_count,
        count(acquisition_cost_amount) as acquisition_cost_count
    from {{ ref('stg_customers') }}

),

contacts as (

    select
        count(*) filter (where is_control) as control_count,
        count(responded_at) as response_count,
        count(contacted_at) as contact_time_count
    from {{ ref('stg_campaign_contacts') }}

),

feedback as (

    select
        count(*) as message_count,
        count(rating) as rating_count
    from {{ ref('stg_feedback') }}

),

subscriptions as (

    select
        count(contracts.customer_id) as contract_count,
        count(*) filter (where cast(contracts.ended_at as date) <= as_of.as_of_date) as ended_contract_count
    from {{ ref('stg_subscriptions') }} as contracts
    cross join {{ ref('stg_as_of') }} as as_of

),

others as (

    select
        (select count(category) from {{ ref('stg_products') }}) as category_count,
        (select count(*) from {{ ref('stg_holidays') }}) as holiday_count,
        (select count(*) from {{ ref('stg_experiment_arms') }}) as experiment_arm_count,
        (select count(*) from {{ ref('stg_interactions') }}) as interaction_count,
        (select count(*) from {{ ref('stg_consents') }}) as consent_count,
        (select count(*) from {{ ref('stg_exchange_rates') }}) as rate_count,
        (select count(*) from {{ ref('stg_stock_levels') }}) as stock_count,
        (select count(*) from {{ ref('stg_regressors') }}) as regressor_count,
        (select has_feedback_text from {{ ref('stg_source_settings') }}) as has_feedback_text

)

select
    transactions.*,
    customers.*,
    contacts.*,
    feedback.*,
    subscriptions.*,
    others.*
from transactions
cross join customers
cross join contacts
cross join feedback
cross join subscriptions
cross join others
