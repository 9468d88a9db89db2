-- Whether what was paid for every product is known. One unit for all: customers valued by margin beside others by revenue
-- could not be compared.
{% macro cost_knowledge() -%}
    select
        count(cost_amount) > 0
        and count(*) filter (where is_product and kind <> 'adjustment' and cost_amount is null) = 0 as is_cost_known
    from {{ ref('fct_transaction_lines') }}
    where customer_id is not null
{%- endmacro %}

-- After an increment: the transactions that were not looked at, in the unit that now holds for all. Nearly always none.
{% macro revalued() -%}
    {%- if is_increment() -%}
        update {{ this }} as transactions
        set
            value_amount = case when costs.is_cost_known then coalesce(margin_amount, net_amount) else net_amount end,
            value_basis = case when costs.is_cost_known and margin_amount is not null then 'margin' else 'net' end
        from ({{ cost_knowledge() }}) as costs
        where (value_basis = 'margin') <> (costs.is_cost_known and margin_amount is not null)
    {%- endif -%}
{%- endmacro %}
