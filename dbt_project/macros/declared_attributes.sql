-- The customer columns that a source declares beyond the contract: what raw.customers has and the contract lacks.
{% macro declared_attributes() %}
    {%- set contract = [
        'customer_id', 'created_at', 'birth_date', 'age_band', 'gender', 'income_band', 'household_size', 'city',
        'region', 'postal_code', 'country', 'latitude', 'longitude', 'acquisition_channel',
        'acquisition_cost_amount', 'updated_at'
    ] -%}
    {%- set names = [] -%}
    {%- if execute and flags.INTROSPECT -%}
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
    {{ adapter.dispatch('add_declared_attributes')(relation, origin, key) }}
{% endmacro %}

{% macro duckdb__add_declared_attributes(relation, origin, key) %}
    {%- for name in declared_attributes() %}
        alter table {{ relation }} add column {{ adapter.quote(name) }} string;
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

-- Tables of Parquet know no update: the table is written once more, beside itself.
{% macro spark__add_declared_attributes(relation, origin, key) %}
    {%- set names = declared_attributes() -%}
    {%- if names -%}
        {%- set wider = relation.incorporate(path={'identifier': relation.identifier ~ '__wider'}) -%}
        {%- do run_query('drop table if exists ' ~ wider) -%}
        {%- set query -%}
            create table {{ wider }} using parquet as
            select
                narrow.*
                {%- for name in names %}, origin.{{ adapter.quote(name) }}{% endfor %}
            from {{ relation }} as narrow
            left join {{ origin }} as origin on narrow.{{ key }} = origin.{{ key }}
        {%- endset -%}
        {%- do run_query(query) -%}
        {%- do run_query('drop table ' ~ relation) -%}
        alter table {{ wider }} rename to {{ relation }}
    {%- endif -%}
{% endmacro %}

-- The columns of a relation that is built, quoted; where nothing may be asked there is one, so that the SQL reads.
{% macro columns_of(relation) %}
    {%- if execute and flags.INTROSPECT -%}
        {{ return(adapter.get_columns_in_relation(relation) | map(attribute='quoted') | list) }}
    {%- endif -%}
    {{ return(['customer_id']) }}
{% endmacro %}
