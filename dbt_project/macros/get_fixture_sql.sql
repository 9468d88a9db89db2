-- Replaces dbt's own macro, so that a unit test names only the columns that matter: received values are text whatever
-- the source at hand made of them, and provenance and content_hash are those of an ordinary, distinct row of one file.
{% macro get_fixture_sql(rows, column_name_to_data_types) %}
    {%- set columns = adapter.get_columns_in_relation(this) -%}
    {%- set is_raw = this.schema == 'raw' and not this.identifier.startswith(('source_', 'rule_')) -%}
    {%- for row in rows or [{}] %}
        {%- set values = {
            '_source_file': 'a.csv', '_row_number': loop.index, '_received_at': '2030-01-01', '_is_excluded': false,
            '_keep_repeats': false, '_is_superseded': false, 'is_product': true, 'content_hash': loop.index
        } %}
        {%- do values.update(row) %}
        select
        {%- for column in columns %}
            {%- set value = values.get(column.name) %}
            cast(
                {{- 'null' if value is none else dbt.string_literal(dbt.escape_single_quotes(value | string)) }} as
                {{- ' varchar' if is_raw and column.name[0] != '_' else ' ' ~ column.data_type -}}
            ) as {{ adapter.quote(column.name) }}{{ ',' if not loop.last }}
        {%- endfor %}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
    {{ 'limit 0' if not rows }}
{% endmacro %}
