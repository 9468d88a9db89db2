-- The key is the address: a model's schema is its folder's, the same in every environment.
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
