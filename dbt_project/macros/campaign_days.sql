-- CTEs that end in `campaigns`: the day of each contact (what the source says, else the middle one of the campaign's other
-- contacts, so that controls are looked at in the same days, else the campaign's start) and of each campaign, and what can be known of the days before and after.
{% macro campaign_days(window_days) -%}
middles as (

    -- In a window, Spark would sort all contacts of a campaign for each of them.
    select
        campaign_id,
        {{ middle('contacted_at') }} as contacted_at
    from {{ ref('fct_campaign_contacts') }}
    group by campaign_id

),

contacts as (

    select
        contacts.*,
        cast(coalesce(contacts.contacted_at, middles.contacted_at, campaigns.started_at) as date) as contact_date
    from {{ ref('fct_campaign_contacts') }} as contacts
    inner join middles on contacts.campaign_id = middles.campaign_id
    inner join {{ ref('dim_campaigns') }} as campaigns on contacts.campaign_id = campaigns.campaign_id

),

campaigns as (

    -- The day of a campaign is the middle one of its contacts.
    select
        campaigns.*,
        {{ middle('contacts.contact_date') }} as campaign_date,
        coalesce(
            min(contacts.contact_date) >= min(days.first_date)
            and max(contacts.contact_date) + {{ window_days - 1 }} <= min(as_of.as_of_date), false
        ) as is_window_complete,
        campaign_date - 90 >= min(days.first_date) as is_history_known,
        campaign_date - {{ 90 + window_days }} >= min(days.first_date) as is_placebo_known,
        count(contacts.customer_id) filter (where not contacts.is_control) as contact_count,
        count(contacts.customer_id) filter (where contacts.is_control) as control_count,
        count(contacts.customer_id) filter (where not contacts.is_control and contacts.has_responded) as response_count,
        count(contacts.customer_id) filter (where contacts.is_control and contacts.has_responded) as control_response_count
    from {{ ref('dim_campaigns') }} as campaigns
    inner join contacts on campaigns.campaign_id = contacts.campaign_id
    cross join {{ ref('dim_as_of') }} as as_of
    cross join (select min(date_day) as first_date from {{ ref('dim_dates') }}) as days
    group by all

)
{%- endmacro %}

-- CTEs that end in `sides`: what those contacted, and their controls, bought in the days from their contact on.
{% macro spent_after_contact(window_days) -%}
spent as (

    select
        contacts.campaign_id,
        contacts.is_control,
        contacts.customer_id,
        count(*) filter (where transactions.is_purchase) as purchase_count,
        coalesce(sum(transactions.net_amount), 0) as net_amount
    from contacts
    left join transactions
        on
            contacts.customer_id = transactions.customer_id
            and transactions.transaction_date between contacts.contact_date and contacts.contact_date + {{ window_days - 1 }}
    group by contacts.campaign_id, contacts.is_control, contacts.customer_id

),

sides as (

    select
        campaign_id,
        is_control,
        sum(purchase_count) as purchase_count,
        count(*) filter (where purchase_count > 0) as buyer_count,
        sum(net_amount) as net_amount,
        count(*) as customer_count,
        {{ mean('net_amount') }} as mean_amount,
        {{ variance('net_amount') }} / count(*) as squared_error
    from spent
    group by campaign_id, is_control

)
{%- endmacro %}
