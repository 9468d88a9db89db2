-- How each `stg_<entity>_typed` starts and ends: the received rows beside what the source file says of them.
{% macro received(entity, has_customer=true) -%}
    select
        rows_received.*,
        settings.timezone as _timezone,
        settings.currency as _currency,
        settings.cancellation_prefix as _cancellation_prefix,
        settings.adjustment_prefix as _adjustment_prefix,
        {{ 'tests.customer_id is not null' if has_customer else 'false' }} as _is_test_customer
    from {{ source('raw', entity) }} as rows_received
    cross join {{ source('raw', 'source_settings') }} as settings
    {%- if has_customer %}
    left join {{ source('raw', 'rule_test_customers') }} as tests
        on {{ as_text('rows_received.customer_id') }} = tests.customer_id
    {%- endif %}
{%- endmacro %}

-- Where a row comes from and whether it stands outside from the start: filtered by the source, or of a test customer.
{% macro origin() -%}
    _source_file,
    _row_number,
    _is_excluded or _is_test_customer as _is_excluded,
    case when _is_excluded then 'where' when _is_test_customer then 'test_customer' end as _exclusion,
    _is_superseded
{%- endmacro %}
