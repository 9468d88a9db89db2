-- One row per visit of the customers $first to $last - 1: BG/NBD's own process, one visit further in each round.
-- Gamma(1/2) is half a squared normal, Beta(1, b) a power of a uniform, whole gammas logarithms of products.
insert into visits
with recursive customers as (
    select
        number::bigint as customer,
        uniform(customer, 0) * $days as moment,
        power(normal(customer, 1, 2), 2) / 2 / $alpha as rate,
        1 - power(uniform(customer, 3), 1 / $b) as dropout,
        $gamma / -ln(uniform(customer, 4) * uniform(customer, 5) * uniform(customer, 6) * uniform(customer, 7)) as scale
    from range($first, $last) as numbers(number)
),

walked as (
    select *, 0 as visit from customers
    union all
    select
        customer,
        moment - ln(uniform(visit_key(customer, visit), 10)) / rate as next_at,
        rate,
        dropout,
        scale,
        visit + 1
    from walked
    where
        (visit = 0 or uniform(visit_key(customer, visit), 11) >= dropout)
        and next_at < $days
)

select
    customer,
    visit,
    moment,
    -- Gamma(6) of a transaction, in cents: the sum of six exponentials, as one logarithm
    greatest(100, round(-100 * scale * ln(
        uniform(visit_key(customer, visit), 12) * uniform(visit_key(customer, visit), 13)
        * uniform(visit_key(customer, visit), 14) * uniform(visit_key(customer, visit), 15)
        * uniform(visit_key(customer, visit), 16) * uniform(visit_key(customer, visit), 17)
    )))::bigint as cents,
    true as is_known
from walked
