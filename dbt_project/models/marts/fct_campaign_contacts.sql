-- Several rows may report on one contact (that it was made, that it was answered): they are one row here.
with contacts as (

    select * from {{ ref('stg_campaign_contacts') }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

)

select
    contacts.customer_id,
    contacts.campaign_id,
    min(contacts.contacted_at) as contacted_at,
    coalesce(bool_or(contacts.is_control), false) as is_control,
    min(contacts.responded_at) filter (
        where cast(contacts.responded_at as date) <= as_of.as_of_date
    ) as responded_at,
    bool_or(coalesce(cast(contacts.responded_at as date) <= as_of.as_of_date, false)) as has_responded
from contacts
cross join as_of
group by contacts.customer_id, contacts.campaign_id
order by contacts.customer_id, contacts.campaign_id
