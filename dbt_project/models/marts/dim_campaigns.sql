with declared as (

    select * from {{ ref('stg_campaigns') }}

),

contacted as (

    select distinct campaign_id from {{ ref('stg_campaign_contacts') }}

)

select
    coalesce(declared.campaign_id, contacted.campaign_id) as campaign_id,
    declared.name,
    declared.kind,
    declared.started_at,
    declared.ended_at,
    declared.cost_amount
from declared
full join contacted on declared.campaign_id = contacted.campaign_id
order by campaign_id
