-- CTEs that end in `means`: per campaign the mean difference between who was contacted and their twins, with half of its
-- 95 % interval. One twin may serve several: their differences go together, so it is twins that are counted.
{% macro matched_means() -%}
totals as (

    select
        campaign_id,
        count(*) as matched_count,
        count(distinct twin_id) as twin_count,
        {{ mean('difference') }} as difference,
        {{ mean('placebo') }} as placebo
    from matched
    group by campaign_id

),

twins as (

    select
        matched.campaign_id,
        sum(matched.difference) - count(*) * min(totals.difference) as difference_deviation,
        sum(matched.placebo) - count(*) * min(totals.placebo) as placebo_deviation
    from matched
    inner join totals on matched.campaign_id = totals.campaign_id
    group by matched.campaign_id, matched.twin_id

),

means as (

    select
        totals.campaign_id,
        totals.matched_count,
        totals.twin_count,
        {% for measure in ['difference', 'placebo'] -%}
        totals.{{ measure }},
        {{ t_quantile('totals.twin_count - 1') }} * sqrt(
            cast(sum(cast(pow(twins.{{ measure }}_deviation, 2) as decimal(38, 4))) as double)
            * totals.twin_count / nullif(totals.twin_count - 1, 0)
        ) / totals.matched_count as {{ measure }}_half_width{{ ',' if not loop.last }}
        {% endfor %}
    from totals
    inner join twins on totals.campaign_id = twins.campaign_id
    group by totals.campaign_id, totals.matched_count, totals.twin_count, totals.difference, totals.placebo

)
{%- endmacro %}
