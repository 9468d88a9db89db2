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

-- The churn rate of a group with Wilson's interval.
{% macro share_with_interval(group) -%}
        {{ group }}_churned / cast({{ group }}_count as double) as {{ group }}_rate,
        {{ wilson(group ~ '_churned', group ~ '_count', '-') }} as {{ group }}_lower,
        {{ wilson(group ~ '_churned', group ~ '_count', '+') }} as {{ group }}_upper
{%- endmacro %}

-- How far an end of the interval of a difference of two such rates is from it (Newcombe 1998, method 10).
{% macro newcombe(below, above) -%}
    sqrt(pow({{ below }}_rate - {{ below }}_lower, 2) + pow({{ above }}_upper - {{ above }}_rate, 2))
{%- endmacro %}
