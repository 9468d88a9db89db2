with lines as (

    select
        lines.customer_id,
        products.category,
        products.brand,
        sum(lines.net_amount) as net_amount
    from {{ ref('fct_transaction_lines') }} as lines
    inner join {{ ref('dim_products') }} as products on lines.product_id = products.product_id
    where lines.customer_id is not null and lines.kind = 'sale' and lines.is_product and lines.net_amount > 0
    group by lines.customer_id, products.category, products.brand

),

purchases as (

    select
        transactions.customer_id,
        count(*) as transaction_count,
        {{ weekday_name('transactions.transaction_date') }} as weekday,
        case
            when capabilities.is_available
                then
                    {{ nth(
                        ['night', 'morning', 'afternoon', 'evening'],
                        'cast(1 + floor(extract(hour from transactions.occurred_at) / 6) as integer)'
                    ) }}
        end as hour_band,
        transactions.channel,
        transactions.store_id
    from {{ ref('fct_transactions') }} as transactions
    inner join {{ ref('data_capabilities') }} as capabilities on capabilities.capability = 'purchase_hours'
    where transactions.is_purchase and transactions.customer_id is not null
    group by all

),

chosen as (

    -- Of each taste what a customer prefers, by money or by purchases; ties go to the first by name.
    {% for taste, relation, measure in [
        ('category', 'lines', 'net_amount'), ('brand', 'lines', 'net_amount'),
        ('weekday', 'purchases', 'transaction_count'), ('hour_band', 'purchases', 'transaction_count'),
        ('channel', 'purchases', 'transaction_count'), ('store_id', 'purchases', 'transaction_count')
    ] -%}
    select
        customer_id,
        '{{ taste }}' as taste,
        {{ taste }} as choice,
        cast(sum({{ measure }}) as decimal(38, 4)) as weight
    from {{ relation }}
    where {{ taste }} is not null
    group by customer_id, {{ taste }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

shared as (

    select
        *,
        round(cast(weight as double) / cast(sum(weight) over (partition by customer_id, taste) as double), 9) as share,
        row_number() over (partition by customer_id, taste order by weight desc, choice asc) as choice_rank
    from chosen

)

select
    customers.customer_id,
    customers.purchase_count,
    max(shared.choice) filter (where shared.taste = 'category' and shared.choice_rank = 1) as favourite_category,
    max(shared.share) filter (where shared.taste = 'category' and shared.choice_rank = 1) as favourite_category_share,
    max(shared.choice) filter (where shared.taste = 'brand' and shared.choice_rank = 1) as favourite_brand,
    max(shared.share) filter (where shared.taste = 'brand' and shared.choice_rank = 1) as favourite_brand_share,
    nullif(count(*) filter (where shared.taste = 'category'), 0) as category_count,
    -- The number of equally loved categories that would be as mixed: exp of the entropy (Hill 1973, order 1).
    round(exp(cast(
        -sum(cast(shared.share * ln(shared.share) as decimal(38, 12))) filter (where shared.taste = 'category')
        as double
    )), 4) as effective_category_count,
    max(shared.choice) filter (where shared.taste = 'weekday' and shared.choice_rank = 1) as favourite_weekday,
    max(shared.share) filter (where shared.taste = 'weekday' and shared.choice_rank = 1) as favourite_weekday_share,
    max(shared.choice) filter (where shared.taste = 'hour_band' and shared.choice_rank = 1) as favourite_hour_band,
    max(shared.share) filter (where shared.taste = 'hour_band' and shared.choice_rank = 1) as favourite_hour_band_share,
    max(shared.choice) filter (where shared.taste = 'channel' and shared.choice_rank = 1) as favourite_channel,
    max(shared.share) filter (where shared.taste = 'channel' and shared.choice_rank = 1) as favourite_channel_share,
    max(shared.choice) filter (where shared.taste = 'store_id' and shared.choice_rank = 1) as favourite_store_id,
    max(shared.share) filter (where shared.taste = 'store_id' and shared.choice_rank = 1) as favourite_store_share
from {{ ref('dim_customers') }} as customers
inner join {{ ref('dim_customer_permissions') }} as permissions
    on customers.customer_id = permissions.customer_id and permissions.is_profiling_allowed
left join shared on customers.customer_id = shared.customer_id
where customers.purchase_count > 0
group by customers.customer_id, customers.purchase_count
order by customers.customer_id
