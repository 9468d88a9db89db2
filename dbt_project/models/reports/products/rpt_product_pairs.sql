{% set expected = '(one.item_basket_count * other.item_basket_count * totals.chance)' %}
{% set least_count, most_pairs = 20, 500 %}

with {{ basket_contents(most_products=100, least_count=least_count, least_share=0.001) }},

pairs as (

    select
        one.item_number as first_number,
        other.item_number as second_number,
        count(*) as pair_count
    from contents as one
    inner join contents as other
        on
            one.basket_number = other.basket_number
            and one.level = other.level
            and one.item_number < other.item_number
    group by first_number, second_number
    having count(*) >= {{ least_count }}

),

compared as (

    select
        pairs.*,
        one.level,
        one.item_id as first_id,
        other.item_id as second_id,
        one.item_basket_count as first_count,
        other.item_basket_count as second_count,
        {{ expected }} as expected_count,
        {{ lift_lower('pair_count', 'expected_count') }} as lift_lower
    from pairs
    inner join items as one on pairs.first_number = one.item_number
    inner join items as other on pairs.second_number = other.item_number
    cross join totals
    where {{ is_beyond_chance('pair_count', expected, 'one.item_count * (one.item_count - 1) / 2') }}
    qualify
        row_number() over (partition by one.level order by lift_lower desc, first_id asc, second_id asc)
        <= {{ most_pairs }}

),

buyers as (

    select
        compared.first_number,
        compared.second_number,
        count(distinct baskets.buyer_id) as buyer_count
    from compared
    inner join contents as one on compared.first_number = one.item_number
    inner join contents as other
        on compared.second_number = other.item_number and one.basket_number = other.basket_number
    inner join baskets on one.basket_number = baskets.basket_number
    group by compared.first_number, compared.second_number
    having count(distinct baskets.buyer_id) >= {{ smallest_group() }}

)

select
    compared.level,
    compared.first_id,
    compared.second_id,
    first_product.name as first_name,
    second_product.name as second_name,
    compared.pair_count as basket_count,
    buyers.buyer_count,
    compared.first_count as first_basket_count,
    compared.second_count as second_basket_count,
    totals.basket_count as all_basket_count,
    totals.left_out_basket_count,
    round(compared.pair_count / cast(totals.basket_count as double), 9) as support,
    round(compared.pair_count / cast(compared.first_count as double), 9) as confidence_of_second,
    round(compared.pair_count / cast(compared.second_count as double), 9) as confidence_of_first,
    round(
        cast(compared.pair_count as double) * totals.basket_count / compared.first_count / compared.second_count, 9
    ) as lift,
    round(compared.expected_count, 4) as expected_basket_count,
    round(compared.lift_lower, 9) as lift_lower
from compared
inner join buyers on compared.first_number = buyers.first_number and compared.second_number = buyers.second_number
cross join totals
left join {{ ref('dim_products') }} as first_product
    on compared.level = 'product' and compared.first_id = first_product.product_id
left join {{ ref('dim_products') }} as second_product
    on compared.level = 'product' and compared.second_id = second_product.product_id
order by compared.level desc, compared.lift_lower desc, compared.first_id asc, compared.second_id asc
