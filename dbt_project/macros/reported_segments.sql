-- CTEs that end in `segments`: each customer's segment as reports tell of it, small ones of a strategy merged.
{% macro reported_segments() -%}
segment_sizes as (

    select
        strategy,
        segment,
        {{ is_merged('count(*)', 'segment', parent='strategy') }} as is_merged
    from {{ source('ml', 'customer_segments') }}
    group by strategy, segment

),

segments as (

    select
        members.* {{ except() }} (segment),
        case when segment_sizes.is_merged then 'other segments' else members.segment end as segment
    from {{ source('ml', 'customer_segments') }} as members
    inner join segment_sizes
        on members.strategy = segment_sizes.strategy and members.segment = segment_sizes.segment

)
{%- endmacro %}

-- Whether a group is merged with others of its parent: it is too small itself, or it is the next smallest that the small
-- ones need, so that together they are not too small either. Nothing is left to be found by subtraction.
{% macro is_merged(count, key, parent=none) -%}
    {%- set within = 'partition by ' ~ parent if parent else '' -%}
    {{ count }} < {{ smallest_group() }} or (
        min({{ count }}) over ({{ within }}) < {{ smallest_group() }}
        and coalesce(sum({{ count }}) over (
            {{ within }} order by {{ count }}, {{ key }} rows between unbounded preceding and 1 preceding
        ), 0) < {{ smallest_group() }}
    )
{%- endmacro %}
