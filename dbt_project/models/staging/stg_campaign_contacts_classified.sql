{{ config(materialized='table') }}

with typed as (

    select * from {{ ref('stg_campaign_contacts_typed') }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

),

campaigns as (

    -- One start for each: the accepted version's, else (the campaign starts later, or is filtered out) the earliest.
    select
        campaign_id,
        coalesce(min(started_at) filter (where row_status = 'accepted'), min(started_at)) as started_at
    from {{ ref('stg_campaigns_classified') }}
    where row_status in ('accepted', 'excluded')
    group by campaign_id

),

flagged as (

    select
        typed.*,
        typed._is_superseded or typed._defect is not null as is_out,
        row_number() over (
            partition by is_out, typed.content_hash
            order by typed._is_excluded, typed._source_file, typed._row_number
        ) as copy_number,
        -- A contact without a date is known from the day on which its campaign starts.
        coalesce(
            cast(coalesce(typed.contacted_at, typed.responded_at, campaigns.started_at) as date) > as_of.as_of_date,
            false
        ) as is_after_as_of
    from typed
    cross join as_of
    left join campaigns on typed.campaign_id = campaigns.campaign_id

)

select
    * exclude (is_out, copy_number, is_after_as_of, _defect, content_hash),
    case
        when _is_superseded then 'superseded'
        when _defect is not null then 'rejected'
        when copy_number > 1 then 'repeated'
        when _is_excluded or is_after_as_of then 'excluded'
        else 'accepted'
    end as row_status,
    case
        when _is_superseded then 'newer_delivery'
        when _defect is not null then _defect
        when copy_number > 1 then 'exact_repeat'
        when _is_excluded then 'where'
        when is_after_as_of then 'after_as_of'
    end as row_reason
from flagged
