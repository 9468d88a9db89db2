with expected as (

    select * from {{ source('ml', 'next_purchases') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

)

select
    customers.customer_id,
    expected.as_of_date,
    customers.purchase_count,
    expected.own_gap_count,
    expected.last_purchase_date,
    expected.recency_days,
    round(expected.expected_gap_days, 4) as expected_gap_days,
    expected.recency_days > expected.expected_gap_days as is_overdue,
    expected.earliest_date,
    expected.expected_date,
    expected.latest_date,
    {{ days_between('expected.as_of_date', 'expected.expected_date') }} as expected_in_days,
    round(expected.seen_return_probability, 9) as seen_return_probability,
    case
        when expected.expected_date is not null then 'expected'
        when expected.seen_return_probability is null then 'waited longer than others were watched'
        else 'too few were seen to come back'
    end as verdict
from customers
inner join expected on customers.customer_id = expected.customer_id
order by customers.customer_id
