-- CTEs that end in `conversions`: who was contacted on a day, by a campaign (control groups are not) or in an interaction,
-- and whether they bought on that day or the seven after it; from `bounds` and `purchase_days`.
{% macro conversions() -%}
contacts as (

    select
        customer_id,
        cast(contacted_at as date) as date_day
    from {{ ref('fct_campaign_contacts') }}
    where contacted_at is not null and not is_control
    union
    select
        customer_id,
        interaction_date as date_day
    from {{ ref('fct_interactions') }}

),

conversions as (

    select
        contacts.customer_id,
        contacts.date_day,
        1 as contacted_count,
        max(cast(purchase_days.customer_id is not null as integer)) as converted_count
    from contacts
    inner join bounds on contacts.date_day >= bounds.shown_from
    left join purchase_days
        on
            contacts.customer_id = purchase_days.customer_id
            and contacts.date_day <= purchase_days.transaction_date
            and contacts.date_day + 7 >= purchase_days.transaction_date
    group by contacts.customer_id, contacts.date_day

)
{%- endmacro %}
