{% set tastes = [
    ('category', 'lines', 'net_amount'), ('brand', 'lines', 'net_amount'),
    ('weekday', 'purchases', 'transaction_count'), ('hour_band', 'purchases', 'transaction_count'),
    ('channel', 'purchases', 'transaction_count'), ('store_id', 'purchases', 'transaction_count')
] %}
with lines as (

    select
        lines.customer_id,
        products.category,
        products.brand,
        lines.net_amount
    from {{ ref('fct_transaction_lines') }} as lines
    inner join {{ ref('dim_products') }} as products on lines.product_id = products.product_id
    where lines.customer_id is not null and lines.kind = 'sale' and lines.is_product and lines.net_amount > 0

),

purchases as (

    select
        transactions.customer_id,
        1 as transaction_count,
        {{ weekday_name('transactions.transaction_date') }} as weekday,
        case when capabilities.is_available then {{ nth(
            ['night', 'morning', 'afternoon', 'evening'],
            'cast(1 + floor(extract(hour from transactions.occurred_at) / 6) as integer)'
        ) }} end as hour_band,
        transactions.channel,
        transactions.store_id
    from {{ ref('fct_transactions') }} as transactions
    inner join {{ ref('data_capabilities') }} as capabilities on capabilities.capability = 'purchase_hours'
    where transactions.is_purchase and transactions.customer_id is not null

),

{% for taste, relation, measure in tastes -%}
{{ taste }}_chosen as (

    select
        customer_id,
        {{ taste }} as choice,
        cast(sum({{ measure }}) as decimal(38, 4)) as weight
    from {{ relation }}
    where {{ taste }} is not null
    group by customer_id, {{ taste }}

),

{{ taste }}_preferred as (

    -- What a customer prefers, by money or by purchases; ties go to the first by name.
    select
        customer_id,
        min_by(choice, (-weight, choice)) as choice,
        round(cast(max(weight) as double) / cast(sum(weight) as double), 9) as share,
        sum(weight) as weight
    from {{ taste }}_chosen
    group by customer_id

),

{% endfor -%}
categories as (

    -- The number of equally loved categories that would be as mixed: exp of the entropy (Hill 1973, order 1).
    select
        customer_id,
        count(*) as category_count,
        round(exp(cast(-sum(cast(share * ln(share) as decimal(38, 12))) as double)), 4) as effective_category_count
    from (
        select
            chosen.customer_id,
            round(cast(chosen.weight as double) / cast(preferred.weight as double), 9) as share
        from category_chosen as chosen
        inner join category_preferred as preferred on chosen.customer_id = preferred.customer_id
    ) as shares
    group by customer_id

)

select
    customers.customer_id,
    customers.purchase_count,
    {% for taste, _, _ in tastes -%}
    {{ taste }}_preferred.choice as favourite_{{ taste }},
    {{ taste }}_preferred.share as favourite_{{ taste | replace('_id', '') }}_share,
    {% endfor -%}
    categories.category_count,
    categories.effective_category_count
from {{ ref('dim_customers') }} as customers
inner join {{ ref('dim_customer_permissions') }} as permissions
    on customers.customer_id = permissions.customer_id and permissions.is_profiling_allowed
{% for taste, _, _ in tastes -%}
left join {{ taste }}_preferred on customers.customer_id = {{ taste }}_preferred.customer_id
{% endfor -%}
left join categories on customers.customer_id = categories.customer_id
where customers.purchase_count > 0
order by customers.customer_id
