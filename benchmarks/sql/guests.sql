-- One row per visit without a customer id: spread over the days, and one at each day's close, so that days end alike.
insert into visits
select
    number::bigint as customer,
    0 as visit,
    case
        when number - $first < $days then number - $first + 0.999999
        else uniform(number, 0) * $days
    end as moment,
    500 + (uniform(number, 4) * 4000)::bigint as cents,
    false as is_known
from range($first, $last) as numbers(number)
