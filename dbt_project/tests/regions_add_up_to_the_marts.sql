-- Each level of the regions is every known customer's money, to the cent.
with levels as (

    select
        level,
        sum(net_amount) as net_amount,
        sum(customer_count) as customer_count
    from {{ ref('rpt_regions') }}
    group by level

),

customers as (

    select
        sum(net_amount) as net_amount,
        count(*) as customer_count
    from {{ ref('dim_customers') }}

)

select levels.*
from levels
cross join customers
where levels.net_amount <> customers.net_amount or levels.customer_count <> customers.customer_count
