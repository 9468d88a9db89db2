-- The lines that one file delivers: sales of its days, lines said again, corrected transactions, and what came back.
with transactions as (
    select
        *,
        visit_key(customer, visit) as key,
        floor(moment)::bigint as sold_day
    from visits
    where moment >= $from_day - 32 and moment < $to_day
),

lines as (
    select
        *,
        key * 16 + line as line_key
    from (select *, least(12, 1 + floor(ln(uniform(key, 20)) / ln(1 - 1 / $lines)))::bigint as line_count from transactions),
        unnest(range(1, line_count + 1)) as numbers(line)
),

delivered as (
    select *, sold_day as on_day, 'sale' as copy
    from lines
    union all
    select *, sold_day + floor(uniform(line_key, 30) * 3)::bigint as on_day, 'repeat' as copy
    from lines
    where uniform(line_key, 32) < $repeated
    union all
    select *, sold_day + 1 + floor(uniform(key, 21) * 20)::bigint as on_day, 'correction' as copy
    from lines
    where uniform(key, 22) < $corrected
    union all
    select *, sold_day + 1 + floor(uniform(line_key, 31) * 30)::bigint as on_day, 'return' as copy
    from lines
    where is_known and uniform(line_key, 33) < $returned
),

priced as (
    select
        *,
        copy = 'return' as is_return,
        -- The line's part of the total grows with its number: parts add up exactly, and no two lines are the same.
        cents * line * (line + 1) // (line_count * (line_count + 1))
        - cents * (line - 1) * line // (line_count * (line_count + 1)) as full_cents,
        case copy when 'return' then -full_cents when 'correction' then full_cents * 9 // 10 else full_cents end as line_cents,
        case when not is_return and uniform(line_key, 34) < 0.2 then full_cents // 9 else 0 end as saved_cents,
        -- open from 9:00 to 21:30
        86400 * sold_day + 32400 + floor((moment - sold_day) * 45000)::bigint as sold_second,
        sold_second + 86400 * (on_day - sold_day) as known_second
    from delivered
    where on_day >= $from_day and on_day < $to_day
)

select
    case when is_return then 'r' || key || '-' || line else 'o' || key end as order_no,
    case when is_known then card(customer) end as card,
    at_second(case when is_return then known_second else sold_second end, $first_date) as sold_at,
    'p' || (1000000 + floor(power($products + 1, uniform(line_key, 35)))::bigint) as sku,
    (1 + floor(-0.7 * ln(uniform(line_key, 36)))::bigint) * case when is_return then -1 else 1 end as pieces,
    case when is_return or uniform(line_key, 37) >= $unpriced then cents_as_money(line_cents) end as paid,
    cents_as_money(saved_cents) as saved,
    case when is_return then 'return' else 'sale' end as kind,
    case when key % 3 = 0 then 'web' else 'store' end as channel,
    'till ' || (key % 40) as till,
    -- what is said again is no newer; a correction is
    at_second(case when copy in ('correction', 'return') then known_second else sold_second end, $first_date) as changed_at
from priced
order by on_day, known_second, key, line, copy
