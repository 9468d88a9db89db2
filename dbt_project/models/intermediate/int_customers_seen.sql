-- Everyone whom any accepted row names; guests have no id and are nobody here.
with seen as (

    {% for entity in [
        'customers', 'transactions', 'campaign_contacts', 'interactions', 'feedback', 'subscriptions', 'consents'
    ] -%}
    select customer_id from {{ ref('stg_' ~ entity) }}
    {{ 'union' if not loop.last }}
    {% endfor %}

)

select customer_id from seen
where customer_id is not null
