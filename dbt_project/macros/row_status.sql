-- The closed list of reasons, each with the one status it leads to; no reason: accepted. What is left is a rejection:
-- unreadable_line, missing_value, invalid_value, out_of_range, missing_rate or conflicting_key, with `.<field>`.
{% macro row_status(reason) -%}
    case
        when {{ reason }} is null then 'accepted'
        when {{ reason }} in ('newer_delivery', 'newer_version') then 'superseded'
        when {{ reason }} = 'exact_repeat' then 'repeated'
        when {{ reason }} in ('where', 'test_customer', 'after_as_of') then 'excluded'
        else 'rejected'
    end
{%- endmacro %}
