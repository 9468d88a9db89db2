-- One row per customer and purpose that was refused on the days of one delivery, one day after joining.
select
    card(customer) as card,
    purpose,
    'no' as answer,
    at_second(86400 * (floor(moment)::bigint + 1), $first_date) as since
from visits, unnest(['analytics', 'profiling', 'marketing']) with ordinality as asked(purpose, place)
where
    is_known and visit = 0 and moment + 1 >= $from_day and moment + 1 < $to_day
    and uniform(customer, 44 + place) < $refused
order by customer, purpose
