-- CTEs that end in `effects`: from `summed`, what each factor of amount = customers x purchases per customer x lines per
-- purchase x price per line adds to the change, by the additive log-mean Divisia index LMDI-I (Ang 2004, Decomposition
-- analysis for policymaking in energy, Energy Policy 32: the effect of x is L(V1, V0) ln(x1 / x0), with the logarithmic
-- mean L(V1, V0) = (V1 - V0) / (ln V1 - ln V0)). Where a factor is zero on one side, its limit is all of the change.
{% macro log_mean_effects() -%}
weighted as (

    select
        *,
        amount - previous_amount as change_amount,
        case
            when least(amount, previous_amount) <= 0 then null
            when amount = previous_amount then cast(amount as double)
            else cast(amount - previous_amount as double) / ln(cast(amount as double) / cast(previous_amount as double))
        end as weight
    from summed

),

factored as (

    select
        *,
        case
            when customer_count = 0 or previous_customer_count = 0 then change_amount
            {{ _effect('customer_count', '1') }}
        end as customers_effect_amount,
        case {{ _effect('purchase_count', 'customer_count') }} end as frequency_effect_amount,
        case {{ _effect('line_count', 'purchase_count') }} end as lines_effect_amount
    from weighted

),

effects as (

    -- What is left is the price's, to the cent.
    select
        *,
        change_amount - customers_effect_amount - frequency_effect_amount - lines_effect_amount as price_effect_amount
    from factored

)
{%- endmacro %}

{% macro _effect(of, by) -%}
    when weight is null then 0
    else cast(round(weight * ln(
        (cast({{ of }} as double) / {{ by }}) / (cast(previous_{{ of }} as double)
        / {{ 'previous_' ~ by if by != '1' else by }})
    ), 4) as decimal(38, 4))
{%- endmacro %}
