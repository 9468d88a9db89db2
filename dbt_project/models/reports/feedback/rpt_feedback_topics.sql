with {{ opinions() }},

as_of as (

    select as_of_date from {{ ref('dim_as_of') }}

),

read_messages as (

    select
        opinions.feedback_id,
        opinions.customer_id,
        opinions.is_content,
        cast(date_trunc('month', opinions.feedback_date) as date) as month_start
    from opinions
    inner join {{ source('ml', 'feedback_messages') }} as texts on opinions.feedback_id = texts.feedback_id
    where opinions.feedback_date is not null

),

topics as (

    select
        feedback_id,
        'any' as aspect
    from read_messages
    union all
    select
        feedback_id,
        aspect
    from {{ source('ml', 'feedback_aspects') }}

),

counted as (

    select
        read_messages.month_start,
        topics.aspect,
        count(*) as message_count,
        count(distinct read_messages.customer_id) as customer_count,
        count(read_messages.is_content) as judged_count,
        count(*) filter (where not read_messages.is_content) as complaint_count,
        count(distinct case when not read_messages.is_content then read_messages.customer_id end)
            as complaint_customer_count
    from read_messages
    inner join topics on read_messages.feedback_id = topics.feedback_id
    group by read_messages.month_start, topics.aspect

),

shared as (

    select
        counted.*,
        max(case when counted.aspect = 'any' then counted.message_count end) over (
            partition by counted.month_start
        ) as month_message_count
    from counted

)

select
    shared.month_start,
    shared.aspect,
    shared.message_count,
    shared.customer_count,
    round(shared.message_count / cast(shared.month_message_count as double), 9) as message_share,
    {% for name, value in [
        ('complaint_count', 'shared.complaint_count'),
        ('complaint_customer_count', 'shared.complaint_customer_count'),
        ('complaint_share', 'round(shared.complaint_count / cast(nullif(shared.judged_count, 0) as double), 9)'),
        ('complaint_share_lower', wilson('shared.complaint_count', 'nullif(shared.judged_count, 0)', '-')),
        ('complaint_share_upper', wilson('shared.complaint_count', 'nullif(shared.judged_count, 0)', '+'))
    ] -%}
    {{ unless_few('shared.complaint_customer_count', value) }} as {{ name }},
    {% endfor -%}
    last_day(shared.month_start) <= as_of.as_of_date as is_complete_month
from shared
cross join as_of
where shared.customer_count >= {{ smallest_group() }}
order by shared.month_start, shared.aspect
