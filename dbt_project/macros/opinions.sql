-- A CTE `opinions`: what known customers think, a row per message: by its rating, else by its sentiment; null where there is
-- neither.
{% macro opinions() -%}
opinions as (

    select
        feedback.*,
        coalesce(feedback.is_satisfied, scores.sentiment = 'positive') as is_content
    from {{ ref('fct_feedback') }} as feedback
    left join {{ source('ml', 'feedback_scores') }} as scores on feedback.feedback_id = scores.feedback_id
    where feedback.customer_id is not null

)
{%- endmacro %}

-- A CTE `customers`: of `shares` by group and customer those of the `sized` groups as they are told, the merged as others.
{% macro satisfied_customers() -%}
customers as (

    select
        sized.group_kind,
        case when sized.is_merged then 'others' else sized.group_name end as group_name,
        shares.customer_id,
        sum(shares.message_count) as message_count,
        sum(shares.rating_count) as rating_count,
        sum(shares.rating_sum) as rating_sum,
        cast(
            cast(sum(shares.content_count) as double) / cast(sum(shares.message_count) as double) as decimal(10, 9)
        ) as satisfied_share
    from shares
    inner join sized on shares.group_kind = sized.group_kind and shares.group_name = sized.group_name
    group by all

)
{%- endmacro %}

-- Half of the 95 % interval of a mean of customers' shares, which hold together what one customer wrote.
{% macro half_width_of_share() -%}
    {{ t_quantile('nullif(count(*) - 1, 0)') }} * sqrt({{ variance('satisfied_share') }} / count(*))
{%- endmacro %}
