-- A report neither loses nor invents money: its column adds up to the column `of` of the relation `to`, to the cent.
-- `among` says which rows of `to`, `counted` which of the report;
-- `by` names what each part of the report counts everybody once by, such as a strategy.
{% test adds_up_to(model, column_name, to, of='net_amount', among='true', counted='true', by=none) %}
with reported as (

    select
        {{ by or "'all'" }} as part,
        sum({{ column_name }}) as total
    from {{ model }}
    where {{ counted }}
    group by part

),

known as (

    select coalesce(sum({{ of }}), 0) as total
    from {{ to }}
    where {{ among }}

)

select
    reported.part,
    reported.total as reported_total,
    known.total as known_total
from known
left join reported on true
where coalesce(reported.total, 0) <> known.total
{% endtest %}
