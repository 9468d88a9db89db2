-- Opinions up to a past day beside who bought in the horizon after it: whether dissatisfied customers leave more often
-- is measured, on each past day by itself, and said only where the interval does.
with {{ opinions() }},

cutoffs as (

    select * from {{ ref('model_cutoffs') }}
    where model = 'churn' and not is_about_contracts

),

active as (

    -- Who had bought within the active window; churned is who bought nothing in the horizon after.
    select
        cutoffs.cutoff_date,
        cutoffs.horizon_days,
        cutoffs.active_window_days,
        bought.customer_id,
        max(bought.transaction_date) <= cutoffs.cutoff_date as is_churned
    from cutoffs
    inner join {{ ref('fct_transactions') }} as bought
        on
            bought.transaction_date > cutoffs.cutoff_date - cast(cutoffs.active_window_days as integer)
            and bought.transaction_date <= cutoffs.cutoff_date + cast(cutoffs.horizon_days as integer)
    where bought.is_purchase and bought.customer_id is not null
    group by cutoffs.cutoff_date, cutoffs.horizon_days, cutoffs.active_window_days, bought.customer_id
    having min(bought.transaction_date) <= cutoffs.cutoff_date

),

latest as (

    -- What each of them said last before the day, no longer ago than a purchase counts as recent.
    select
        active.*,
        opinions.is_content
    from active
    inner join opinions on active.customer_id = opinions.customer_id
    where
        opinions.is_content is not null
        and opinions.feedback_date <= active.cutoff_date
        and opinions.feedback_date > active.cutoff_date - cast(active.active_window_days as integer)
    qualify row_number() over (
        partition by active.cutoff_date, active.customer_id order by opinions.created_at desc, opinions.feedback_id desc
    ) = 1

),

counted as (

    select
        cutoff_date,
        horizon_days,
        count(*) filter (where is_content) as satisfied_count,
        count(*) filter (where is_content and is_churned) as satisfied_churned,
        count(*) filter (where not is_content) as dissatisfied_count,
        count(*) filter (where not is_content and is_churned) as dissatisfied_churned
    from latest
    group by cutoff_date, horizon_days
    having satisfied_count >= {{ smallest_group() }} and dissatisfied_count >= {{ smallest_group() }}

),

rated as (

    select
        *,
        {{ share_with_interval('satisfied') }},
        {{ share_with_interval('dissatisfied') }}
    from counted

),

compared as (

    select
        *,
        dissatisfied_rate - satisfied_rate as difference,
        difference - {{ newcombe('dissatisfied', 'satisfied') }} as lower_end,
        difference + {{ newcombe('satisfied', 'dissatisfied') }} as upper_end
    from rated

)

select
    cutoff_date,
    horizon_days,
    satisfied_count as satisfied_customer_count,
    dissatisfied_count as dissatisfied_customer_count,
    round(satisfied_rate, 9) as satisfied_churn_rate,
    round(dissatisfied_rate, 9) as dissatisfied_churn_rate,
    round(difference, 9) as difference,
    round(lower_end, 9) as difference_lower,
    round(upper_end, 9) as difference_upper,
    case
        when lower_end > 0 then 'leave more often' when upper_end < 0 then 'leave less often' else 'no difference shown'
    end as verdict
from compared
order by cutoff_date
