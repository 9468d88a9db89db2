-- No table tells of fewer people than this.
{% macro smallest_group() -%} 11 {%- endmacro %}

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
