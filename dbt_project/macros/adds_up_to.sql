-- A report neither loses nor invents money: its column adds up to the column `of` of the relation `to`, to the cent;
-- `among` says which rows of that relation the report is about.
{% test adds_up_to(model, column_name, to, of='net_amount', among='true') %}
with reported as (

    select coalesce(sum({{ column_name }}), 0) as total
    from {{ model }}

),

known as (

    select coalesce(sum({{ of }}), 0) as total
    from {{ to }}
    where {{ among }}

)

select
    reported.total as reported_total,
    known.total as known_total
from reported
cross join known
where reported.total <> known.total
{% endtest %}
