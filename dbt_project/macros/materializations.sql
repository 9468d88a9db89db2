-- Tables and views on DuckDB, which replaces either in one statement of a transaction. dbt-duckdb's own build aside, rename
-- twice and drop, and ask for indexes, grants and columns on the way: some seven statements a model, for tables that
-- have no index and a file that has one user. Names differ by what they hold, so one is dropped only where a view has
-- become a table or the other way round.
{% materialization table, adapter="duckdb" %}
    {%- set target = cleared('table') -%}
    {% call statement('main') -%}
        {{ replaced(target) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

-- A table of which the last run's rows stay, but for those with a `unique_key` that is to be looked at again; rows without a
-- key always are. dbt-duckdb's own strategies find what to delete in the new rows: what is no longer there would stay.
{% materialization incremental, adapter="duckdb" %}
    {%- set target = cleared('table') -%}
    {% call statement('main') -%}
        {% if is_increment() -%}
            delete from {{ target }} where {{ touched(config.require('unique_key')) }};
            insert into {{ target }} by name ({{ compiled_code }});
        {%- else -%}
            {{ replaced(target) }}
        {%- endif %}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization view, adapter="duckdb" %}
    {%- set target = cleared('view') -%}
    {% call statement('main') -%}
        {% if config.get('contract').enforced %}{{ get_assert_columns_equivalent(sql) }}{% endif %}
        create or replace view {{ target }} as ({{ sql }});
    {%- endcall %}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

-- The statement that builds a table whole.
{% macro replaced(target) -%}
    create or replace table {{ target }}
    {% if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(compiled_code) }}
        {{ get_table_columns_and_constraints() }};
        insert into {{ target }} {{ get_column_names() }} ({{ get_select_subquery(compiled_code) }});
    {%- else -%}
        as ({{ compiled_code }});
    {%- endif %}
{%- endmacro %}

-- The relation to build, once nothing of another kind has its name.
{% macro cleared(kind) %}
    {%- set existing = load_cached_relation(this) -%}
    {% if existing is not none and existing.type != kind %}{% do adapter.drop_relation(existing) %}{% endif %}
    {{ return(this.incorporate(type=kind)) }}
{% endmacro %}

-- A data test is one query, which needs no transaction around it.
{% materialization test, adapter="duckdb" %}
    {% call statement('main', fetch_result=True, auto_begin=False) -%}
        {{ get_test_sql(sql, config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), config.get('limit')) }}
    {%- endcall %}
    {{ return({'relations': []}) }}
{% endmaterialization %}
