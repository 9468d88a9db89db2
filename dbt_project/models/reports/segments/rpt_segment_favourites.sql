with {{ reported_segments() }},

members as (

    select
        segments.strategy,
        segments.segment,
        preferences.favourite_category as category,
        preferences.favourite_brand as brand,
        preferences.favourite_weekday as weekday,
        preferences.favourite_hour_band as hour_band,
        preferences.favourite_channel as channel,
        preferences.favourite_store_id as store,
        people.age_band,
        people.gender,
        people.income_band,
        cast(people.household_size as string) as household_size,
        people.region,
        people.country
    from segments
    left join {{ ref('rpt_customer_preferences') }} as preferences on segments.customer_id = preferences.customer_id
    left join {{ ref('dim_customers') }} as people on segments.customer_id = people.customer_id

),

told as (

    select *
    from members
    unpivot (
        favourite for attribute in (
            category, brand, weekday, hour_band, channel, store, age_band, gender, income_band, household_size, region,
            country
        )
    )

),

counted as (

    select
        strategy,
        segment,
        attribute,
        favourite,
        count(*) as customer_count,
        sum(count(*)) over (partition by strategy, segment, attribute) as known_count,
        sum(count(*)) over (partition by strategy, attribute, favourite) as everyone_count,
        sum(count(*)) over (partition by strategy, attribute) as everyone_known_count
    from told
    group by strategy, segment, attribute, favourite

),

shared as (

    select
        *,
        cast(customer_count as double) / known_count as share_of_segment,
        cast(everyone_count as double) / everyone_known_count as share_of_everyone,
        row_number() over (
            partition by strategy, segment, attribute order by customer_count desc, favourite asc
        ) as rank
    from counted

)

select
    strategy,
    segment,
    attribute,
    cast(rank as integer) as rank,
    favourite,
    customer_count,
    known_count,
    round(share_of_segment, 9) as share_of_segment,
    round(share_of_everyone, 9) as share_of_everyone,
    round(share_of_segment / share_of_everyone, 9) as lift
from shared
where rank <= 3 and customer_count >= {{ smallest_group() }}
order by strategy, segment, attribute, rank
