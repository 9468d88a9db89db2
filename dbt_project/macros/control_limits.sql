-- Steps `judged` and `limited`: Shewhart's limits for single values (mean +- 2.66 mean moving ranges, which is three
-- standard deviations) from the 26 moments before each one, itself left out; null where there are fewer than 12.
{% macro control_limits(relation, partition, moment) -%}
judged as (

    select
        {{ relation }}.*,
        count(value) over earlier as earlier_count,
        avg(value) over earlier as mean_value,
        2.66 * avg(moving_range) over earlier as half_width
    from {{ relation }}
    window earlier as (partition by {{ partition }} order by {{ moment }} rows between 26 preceding and 1 preceding)

),

limited as (

    select
        judged.*,
        case when earlier_count >= 12 then mean_value end as centre,
        case when earlier_count >= 12 then mean_value - half_width end as lower_limit,
        case when earlier_count >= 12 then mean_value + half_width end as upper_limit
    from judged

)
{%- endmacro %}
