with days as (

    select
        dates.date_day,
        min(dates.date_day) over () as first_date,
        max(dates.date_day) over () as last_date,
        coalesce(sum(transactions.net_amount), 0) as net_amount,
        holidays.holiday_name
    from {{ ref('dim_dates') }} as dates
    left join {{ ref('fct_transactions') }} as transactions on dates.date_day = transactions.transaction_date
    left join {{ ref('stg_holidays') }} as holidays on dates.date_day = holidays.holiday_date
    group by dates.date_day, holidays.holiday_name

),

holidays as (

    select
        date_day as holiday_date,
        holiday_name
    from days
    where holiday_name is not null and date_day - 3 >= first_date and date_day + 1 <= last_date

),

shifts as (

    select {{ each_number(-4, 4) }} as week_number

),

weeks as (

    -- The holiday's own five days, and the same weekdays of the four weeks on either side.
    select
        holidays.holiday_date,
        holidays.holiday_name,
        shifts.week_number,
        sum(days.net_amount) as net_amount,
        count(days.date_day) = 5 and (shifts.week_number = 0 or count(days.holiday_name) = 0) as is_usable
    from holidays
    cross join shifts
    left join days
        on
            holidays.holiday_date + cast(7 * shifts.week_number - 3 as integer) <= days.date_day
            and holidays.holiday_date + cast(7 * shifts.week_number + 1 as integer) >= days.date_day
    group by holidays.holiday_date, holidays.holiday_name, shifts.week_number

),

compared as (

    select
        holiday_date,
        holiday_name,
        sum(net_amount) filter (where week_number = 0) as net_amount,
        count(*) filter (where week_number <> 0) as week_count,
        cast(sum(net_amount) filter (where week_number <> 0) as double) / nullif(week_count, 0) as usual_amount,
        min(net_amount) filter (where week_number <> 0) as lowest_week_amount,
        max(net_amount) filter (where week_number <> 0) as highest_week_amount,
        sum(cast(net_amount as decimal(18, 4)) * net_amount) filter (where week_number <> 0) as square_amount
    from weeks
    where is_usable
    group by holiday_date, holiday_name

),

spread as (

    select
        *,
        case when week_count >= 3 then sqrt(
            greatest(0, square_amount - week_count * usual_amount * usual_amount) / (week_count - 1)
        ) end as deviation_amount,
        -- Student's t, 97.5 %, for 2 to 7 degrees of freedom.
        {{ nth([4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624], 'cast(week_count - 2 as integer)') }}
        * sqrt(1 + 1.0 / week_count) as width
    from compared

)

select
    holiday_date,
    holiday_name,
    cast(extract(year from holiday_date) as integer) as year,
    holiday_date - 3 as window_start,
    holiday_date + 1 as window_end,
    cast(net_amount as decimal(38, 4)) as net_amount,
    week_count,
    round(usual_amount, 4) as usual_amount,
    cast(lowest_week_amount as decimal(38, 4)) as lowest_week_amount,
    cast(highest_week_amount as decimal(38, 4)) as highest_week_amount,
    round(deviation_amount, 4) as deviation_amount,
    round(usual_amount - width * deviation_amount, 4) as usual_lower_amount,
    round(usual_amount + width * deviation_amount, 4) as usual_upper_amount,
    round(cast(net_amount as double) - usual_amount, 4) as effect_amount,
    round(cast(net_amount as double) / nullif(usual_amount, 0) - 1, 9) as effect_share,
    abs(cast(net_amount as double) - usual_amount) > width * deviation_amount as is_beyond_chance
from spread
order by holiday_date
