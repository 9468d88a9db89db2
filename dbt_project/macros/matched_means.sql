-- CTEs that end in `means`: per campaign the mean difference between who was contacted and their twins, with half of its
-- 95 % interval. One twin may serve several: their differences go together, so it is twins that are counted.
{% macro matched_means() -%}
twins as (

    select
        campaign_id,
        twin_id,
        count(*) as served_count,
        sum(difference) as difference,
        sum(placebo) as placebo
    from matched
    group by campaign_id, twin_id

),

deviations as (

    -- Windows instead of a join to the means: Spark would match everybody anew for it.
    select
        *,
        {% for measure in ['difference', 'placebo'] -%}
        cast(sum({{ measure }}) over (partition by campaign_id) as double)
        / sum(served_count) over (partition by campaign_id) as mean_{{ measure }},
        {{ measure }} - served_count * mean_{{ measure }} as {{ measure }}_deviation{{ ',' if not loop.last }}
        {% endfor %}
    from twins

),

totals as (

    select
        campaign_id,
        cast(sum(served_count) as bigint) as matched_count,
        count(*) as twin_count,
        {% for measure in ['difference', 'placebo'] -%}
        min(mean_{{ measure }}) as {{ measure }},
        cast(sum(cast(pow({{ measure }}_deviation, 2) as decimal(38, 4))) as double) as {{ measure }}_squares
        {{- ',' if not loop.last }}
        {% endfor %}
    from deviations
    group by campaign_id

),

means as (

    select
        campaign_id,
        matched_count,
        twin_count,
        {% for measure in ['difference', 'placebo'] -%}
        {{ measure }},
        {{ t_quantile('twin_count - 1') }} * sqrt(
            {{ measure }}_squares * twin_count / nullif(twin_count - 1, 0)
        ) / matched_count as {{ measure }}_half_width{{ ',' if not loop.last }}
        {% endfor %}
    from totals

)
{%- endmacro %}
