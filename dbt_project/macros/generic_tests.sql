-- Generic tests that dbt does not bring, each over all its columns at once: a test costs dbt as much as a small model.

-- The grain that the description names: no two rows with one key, and a key in every row but where it may be empty.
{% test grain(model, columns, nullable=[]) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {% for column in columns if column not in nullable %}or {{ column }} is null {% endfor %}
{% endtest %}

-- Columns that are never empty.
{% test complete(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where {% for column in columns %}{{ column }} is null{{ " or " if not loop.last }}{% endfor %}
{% endtest %}

{% test between(model, column_name, lowest=none, highest=none) %}
select {{ column_name }}
from {{ model }}
where
    false
    {% if lowest is not none %}or {{ column_name }} < {{ lowest }}{% endif %}
    {% if highest is not none %}or {{ column_name }} > {{ highest }}{% endif %}
{% endtest %}

-- Counts of people are those of nobody, or of at least as many as may be told of.
{% test at_least_eleven_people(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where
    {% for column in columns -%}
    {{ column }} > 0 and {{ column }} < {{ smallest_group() }}{{ " or " if not loop.last }}
    {%- endfor %}
{% endtest %}

-- A report by segment counts every customer of a strategy once.
{% test counts_every_customer(model, column_name) %}
with reported as (

    select
        strategy,
        sum({{ column_name }}) as customer_count
    from {{ model }}
    group by strategy

),

segments as (

    select
        strategy,
        count(*) as customer_count
    from {{ source('ml', 'customer_segments') }}
    group by strategy

)

select segments.strategy
from segments
left join reported on segments.strategy = reported.strategy
where
    segments.customer_count is distinct from reported.customer_count
    and segments.customer_count >= {{ smallest_group() }}
{% endtest %}
