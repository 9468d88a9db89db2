-- The groups of each attribute hold every known customer's money once.
with customers as (

    select
        sum(net_amount) as net_amount,
        count(*) as customer_count
    from {{ ref('dim_customers') }}

)

select groups.attribute
from {{ ref('rpt_demographic_spend') }} as groups
cross join customers
group by groups.attribute, customers.net_amount, customers.customer_count
having sum(groups.net_amount) <> customers.net_amount or sum(groups.customer_count) <> customers.customer_count
