-- CTEs that end in `expected`: what a table of what came first by what followed would hold by its margins alone, added up
-- over tables of windows that hold about as much.
{% macro expected_by_margins() -%}
before_margins as (

    select
        items.level,
        followed.size,
        followed.first_number,
        sum(followed.customer_count) as total
    from followed
    inner join items on followed.first_number = items.item_number
    group by items.level, followed.size, followed.first_number

),

after_margins as (

    select
        items.level,
        followed.size,
        followed.second_number,
        sum(followed.customer_count) as total,
        sum(sum(followed.customer_count)) over (partition by items.level, followed.size) as level_total
    from followed
    inner join items on followed.second_number = items.item_number
    group by items.level, followed.size, followed.second_number

),

expected as (

    select
        before_margins.first_number,
        after_margins.second_number,
        cast(sum(cast(
            cast(before_margins.total as double) * after_margins.total / after_margins.level_total as decimal(38, 9)
        )) as double) as expected_count
    from before_margins
    inner join after_margins on before_margins.level = after_margins.level and before_margins.size = after_margins.size
    where before_margins.first_number <> after_margins.second_number
    group by before_margins.first_number, after_margins.second_number

)
{%- endmacro %}
