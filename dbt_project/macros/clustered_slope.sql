-- CTEs that end in `sloped`: per level and category of `deviations` the slope of y on x, and half of its 95 % interval. What a
-- product's weeks miss by goes together, so it is products that are counted (errors clustered by product, CR1).
{% macro clustered_slope() -%}
fitted as (

    select
        level,
        category,
        count(*) as observation_count,
        count(distinct product_id) as product_count,
        count(distinct week) as week_count,
        cast(sum(cast(x * x as decimal(38, 9))) as double) as squares,
        sqrt(squares / observation_count) as price_deviation,
        cast(sum(cast(x * y as decimal(38, 9))) as double) / nullif(squares, 0) as slope
    from deviations
    group by level, category

),

scores as (

    select
        deviations.level,
        deviations.category,
        pow(cast(sum(cast(
            deviations.x * (deviations.y - fitted.slope * deviations.x) as decimal(38, 9)
        )) as double), 2) as squared_score
    from deviations
    inner join fitted on deviations.level = fitted.level and deviations.category = fitted.category
    group by deviations.level, deviations.category, deviations.product_id

),

scored as (

    select
        level,
        category,
        cast(sum(cast(squared_score as decimal(38, 9))) as double) as squared_scores
    from scores
    group by level, category

),

sloped as (

    select
        fitted.*,
        {{ t_quantile('product_count - 1') }} * sqrt(
            scored.squared_scores * product_count / (product_count - 1)
            * (observation_count - 1) / greatest(observation_count - week_count - 1, 1)
        ) / nullif(squares, 0) as half_width
    from fitted
    inner join scored on fitted.level = scored.level and fitted.category = scored.category

)
{%- endmacro %}
