-- The customer columns that a source declares beyond the contract: what raw.customers has and the contract lacks.
{% macro declared_attributes() %}
    {%- set contract = [
        'customer_id', 'created_at', 'birth_date', 'age_band', 'gender', 'income_band', 'household_size', 'city',
        'region', 'postal_code', 'country', 'latitude', 'longitude', 'acquisition_channel',
        'acquisition_cost_amount', 'updated_at'
    ] -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- for column in adapter.get_columns_in_relation(source('raw', 'customers')) -%}
            {%- if column.name not in contract and not column.name.startswith('_') -%}
                {%- do names.append(column.name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(names) }}
{% endmacro %}

-- Adds the declared attributes to a table whose contract cannot know them, as columns of their own.
{% macro add_declared_attributes(relation, origin, key) %}
    {%- for name in declared_attributes() %}
        alter table {{ relation }} add column {{ adapter.quote(name) }} varchar;
        comment on column {{ relation }}.{{ adapter.quote(name) }} is 'Attribute declared by the source file.';
    {%- endfor %}
    {%- if declared_attributes() %}
        update {{ relation }} set
        {%- for name in declared_attributes() %}
            {{ adapter.quote(name) }} = origin.{{ adapter.quote(name) }}{{ ',' if not loop.last }}
        {%- endfor %}
        from {{ origin }} as origin
        where {{ relation }}.{{ key }} = origin.{{ key }};
    {%- endif %}
{% endmacro %}
