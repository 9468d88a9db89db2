-- Steps `moved` to `limited`: Shewhart's limits for single values (mean +- 2.66 mean moving ranges, which is three
-- standard deviations) from the 26 weeks before each one, itself left out; null where there are fewer than 12.
{% macro control_limits(relation, partition, moment) -%}
moved as (

    select
        {{ relation }}.*,
        lag({{ relation }}.value) over so_far as previous_value,
        lag({{ relation }}.value, 52) over so_far as year_ago_value,
        abs({{ relation }}.value - lag({{ relation }}.value) over so_far) as moving_range
    from {{ relation }}
    window so_far as (partition by {{ relation }}.{{ partition }} order by {{ relation }}.{{ moment }})

),

judged as (

    select
        moved.*,
        count(moved.value) over earlier as earlier_count,
        avg(moved.value) over earlier as mean_value,
        2.66 * avg(moved.moving_range) over earlier as half_width
    from moved
    window earlier as (
        partition by moved.{{ partition }} order by moved.{{ moment }} rows between 26 preceding and 1 preceding
    )

),

limited as (

    select
        judged.*,
        case when judged.earlier_count >= 12 then judged.mean_value end as centre,
        case when judged.earlier_count >= 12 then judged.mean_value - judged.half_width end as lower_limit,
        case when judged.earlier_count >= 12 then judged.mean_value + judged.half_width end as upper_limit
    from judged

)
{%- endmacro %}
