{% set least_count, most_sequences, days = 20, 500, 30 %}

with {{ item_days(most_items=300, least_count=least_count, least_share=0.01) }},

{{ followed_within(days) }},

openings as (

    select
        first_number,
        count(*) as customer_count
    from opened
    group by first_number

),

{{ expected_by_margins() }},

observed as (

    select
        first_number,
        second_number,
        sum(customer_count) as customer_count
    from followed
    group by first_number, second_number

),

compared as (

    select
        one.level,
        one.item_id as first_id,
        other.item_id as second_id,
        openings.customer_count as first_customer_count,
        observed.customer_count,
        expected.expected_count,
        observed.customer_count / expected.expected_count as lift,
        {{ lift_lower('observed.customer_count', 'expected.expected_count') }} as lift_lower,
        coalesce(reverse.customer_count, 0) as reverse_customer_count,
        reverse_customer_count / reverse_expected.expected_count as reverse_lift,
        {{ is_beyond_chance(
            'observed.customer_count', 'expected.expected_count', 'one.item_count * (one.item_count - 1)'
        ) }} as is_beyond_chance
    from observed
    inner join expected
        on observed.first_number = expected.first_number and observed.second_number = expected.second_number
    inner join items as one on observed.first_number = one.item_number
    inner join items as other on observed.second_number = other.item_number
    inner join openings on observed.first_number = openings.first_number
    left join observed as reverse
        on observed.first_number = reverse.second_number and observed.second_number = reverse.first_number
    left join expected as reverse_expected
        on
            observed.first_number = reverse_expected.second_number
            and observed.second_number = reverse_expected.first_number

),

strongest as (

    select * from compared
    where is_beyond_chance and customer_count >= {{ least_count }}
    qualify
        row_number() over (partition by level order by lift_lower desc, first_id asc, second_id asc)
        <= {{ most_sequences }}

)

select
    strongest.level,
    strongest.first_id,
    strongest.second_id,
    first_product.name as first_name,
    second_product.name as second_name,
    {{ days }} as window_days,
    cast(strongest.customer_count as bigint) as customer_count,
    strongest.first_customer_count,
    round(strongest.customer_count / cast(strongest.first_customer_count as double), 9) as confidence,
    round(strongest.expected_count, 4) as expected_customer_count,
    round(strongest.lift, 9) as lift,
    round(strongest.lift_lower, 9) as lift_lower,
    {{ unless_few('strongest.reverse_customer_count', 'cast(strongest.reverse_customer_count as bigint)') }}
        as reverse_customer_count,
    {{ unless_few('strongest.reverse_customer_count', 'round(strongest.reverse_lift, 9)') }} as reverse_lift
from strongest
left join {{ ref('dim_products') }} as first_product
    on strongest.level = 'product' and strongest.first_id = first_product.product_id
left join {{ ref('dim_products') }} as second_product
    on strongest.level = 'product' and strongest.second_id = second_product.product_id
order by strongest.level desc, strongest.lift_lower desc, strongest.first_id asc, strongest.second_id asc
