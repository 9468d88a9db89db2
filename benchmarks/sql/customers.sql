-- One row per customer who joined on the days of one delivery.
select
    card(customer) as card,
    at_second(86400 * floor(moment)::bigint + 32400 + floor((moment - floor(moment)) * 45000)::bigint, $first_date) as joined_at,
    ['18-24', '25-34', '35-49', '50-64', '65+'][1 + floor(uniform(customer, 40) * 5)::integer] as age_band,
    ['f', 'm'][1 + floor(uniform(customer, 41) * 2)::integer] as gender,
    'region ' || (1 + floor(12 * power(uniform(customer, 42), 2)))::integer as region,
    ['search', 'friend', 'advertisement', 'shop'][1 + floor(uniform(customer, 43) * 4)::integer] as channel,
    card(customer) || '@shop.example' as email
from visits
where is_known and visit = 0 and moment >= $from_day and moment < $to_day
order by customer
