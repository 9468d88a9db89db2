-- Generic tests that dbt does not bring: a key of several columns, and a range.

{% test unique_combination(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{% test between(model, column_name, lowest=none, highest=none) %}
select {{ column_name }}
from {{ model }}
where
    false
    {% if lowest is not none %}or {{ column_name }} < {{ lowest }}{% endif %}
    {% if highest is not none %}or {{ column_name }} > {{ highest }}{% endif %}
{% endtest %}

-- A count of people is that of nobody, or of at least as many as may be told of.
{% test at_least_eleven_people(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} > 0 and {{ column_name }} < {{ smallest_group() }}
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
