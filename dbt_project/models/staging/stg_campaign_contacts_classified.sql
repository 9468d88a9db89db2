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

known as (

    select
        typed.*,
        coalesce(cast(typed.updated_at as date) > as_of.as_of_date, false) as is_not_yet_known,
        -- A contact without a date is known from the day on which its campaign starts.
        coalesce(
            cast(coalesce(typed.contacted_at, typed.responded_at, campaigns.started_at) as date) > as_of.as_of_date,
            false
        ) as is_after_as_of,
        typed._is_superseded or typed._defect is not null or is_not_yet_known as is_out
    from typed
    cross join as_of
    left join campaigns on typed.campaign_id = campaigns.campaign_id

),

versioned as (

    -- Reports on one contact add up, those without `updated_at` always; of those with one only the newest stands.
    select
        *,
        updated_at < max(updated_at) over (partition by is_out, customer_id, campaign_id) as is_old_version
    from known

),

numbered as (

    select
        *,
        row_number() over (
            partition by is_out or coalesce(is_old_version, false), content_hash
            order by _is_excluded, _source_file, _row_number
        ) as copy_number
    from versioned

),

judged as (

    select
        *,
        case
            when _is_superseded then 'newer_delivery'
            when _defect is not null and _is_excluded then coalesce(_exclusion, 'where')
            when _defect is not null then _defect
            when is_not_yet_known then 'after_as_of'
            when is_old_version then 'newer_version'
            when copy_number > 1 then 'exact_repeat'
            when _is_excluded then coalesce(_exclusion, 'where')
            when is_after_as_of then 'after_as_of'
        end as row_reason
    from numbered

)

select
    * {{ except() }} (
        is_out, is_not_yet_known, is_after_as_of, is_old_version, copy_number, _defect, content_hash
    ),
    {{ row_status('row_reason') }} as row_status
from judged
