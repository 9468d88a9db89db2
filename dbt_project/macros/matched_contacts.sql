-- CTEs that end in `matched`: per campaign without controls, who was contacted beside who was not and came most like them:
-- in the same bands of recency and of purchases in the 90 days before, nearest by what they spent in them, within a quarter.
-- The placebo is the same difference in the `window_days` before those, which the match does not look at.
{% macro matched_contacts(window_days, near_days=3) -%}
behaviour as (

    select
        campaigns.campaign_id,
        transactions.customer_id,
        min({{ days_between('transactions.transaction_date', 'campaigns.campaign_date') }}) filter (
            where transactions.is_purchase and transactions.transaction_date < campaigns.campaign_date
        ) as recency_days,
        count(*) filter (where transactions.is_purchase and {{ in_days(-90, -1) }}) as frequency_count,
        sum(transactions.net_amount) filter (where {{ in_days(-90, -1) }}) as before_amount,
        coalesce(sum(transactions.net_amount) filter (where {{ in_days(-90 - window_days, -91) }}), 0) as placebo_amount,
        coalesce(sum(transactions.net_amount) filter (where {{ in_days(0, window_days - 1) }}), 0) as after_amount
    from campaigns
    inner join transactions on {{ in_days(-90 - window_days, window_days - 1) }}
    where campaigns.control_count = 0 and campaigns.is_window_complete and campaigns.is_history_known
    group by campaigns.campaign_id, transactions.customer_id
    having frequency_count > 0 and before_amount > 0

),

candidates as (

    -- A contact on another day than most is on neither side.
    select
        behaviour.*,
        contacts.customer_id is not null as is_contacted,
        case
            when contacts.customer_id is null
                then {{ struct_of({
                    'id': 'behaviour.customer_id', 'before': 'behaviour.before_amount',
                    'placebo': 'behaviour.placebo_amount', 'later': 'behaviour.after_amount'
                }) }}
        end as twin,
        case when recency_days <= 7 then 1 when recency_days <= 30 then 2 else 3 end as recency_band,
        floor(log2(frequency_count)) as frequency_band
    from behaviour
    inner join campaigns on behaviour.campaign_id = campaigns.campaign_id
    left join contacts on behaviour.campaign_id = contacts.campaign_id and behaviour.customer_id = contacts.customer_id
    where
        contacts.customer_id is null
        or abs({{ days_between('campaigns.campaign_date', 'contacts.contact_date') }}) <= {{ near_days }}

),

neighbours as (

    select
        *,
        {{ last_known('twin') }} over (
            partition by campaign_id, recency_band, frequency_band order by before_amount, customer_id
            rows between unbounded preceding and current row
        ) as twin_below,
        {{ first_known('twin') }} over (
            partition by campaign_id, recency_band, frequency_band order by before_amount, customer_id
            rows between current row and unbounded following
        ) as twin_above
    from candidates

),

nearest as (

    select
        * {{ except() }} (twin),
        case
            when
                twin_above.before is null or before_amount - twin_below.before <= twin_above.before - before_amount
                then twin_below
            else twin_above
        end as twin
    from neighbours
    where is_contacted

),

matched as (

    select
        nearest.campaign_id,
        nearest.twin.id as twin_id,
        nearest.after_amount - nearest.twin.later as difference,
        nearest.placebo_amount - nearest.twin.placebo as placebo
    from nearest
    where abs(nearest.before_amount - nearest.twin.before) <= nearest.before_amount / 4

)
{%- endmacro %}

{% macro in_days(first, last) -%}
    transactions.transaction_date between campaigns.campaign_date + ({{ first }}) and campaigns.campaign_date + ({{ last }})
{%- endmacro %}
