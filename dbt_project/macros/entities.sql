-- The one list of entities, and what the reconciliation asks of each: when a row happened, and its money if it has any.
{% macro entities() -%}
    transactions customers products campaigns campaign_contacts interactions feedback subscriptions consents
    exchange_rates stock_levels regressors
{%- endmacro %}

{% macro event_day(entity) -%}
    {{ {
        'transactions': 'occurred_at', 'customers': 'created_at', 'campaigns': 'started_at',
        'campaign_contacts': 'coalesce(contacted_at, responded_at)', 'interactions': 'occurred_at',
        'feedback': 'created_at', 'subscriptions': 'started_at', 'consents': 'effective_at', 'exchange_rates': 'date',
        'stock_levels': 'date', 'regressors': 'date'
    }.get(entity, 'null') }}
{%- endmacro %}

-- The same from raw, where every value is as received: each column of the expression is typed.
{% macro received_day(entity) -%}
    {%- set column = event_day(entity) -%}
    {%- if entity == 'campaign_contacts' -%}
        coalesce({{ as_timestamp('contacted_at') }}, {{ as_timestamp('responded_at') }})
    {%- elif column == 'date' -%} {{ as_date('date') }}
    {%- elif column == 'null' -%} null
    {%- else -%} {{ as_timestamp(column) }}
    {%- endif -%}
{%- endmacro %}

{% macro money_column(entity) -%}
    {{ {'transactions': 'amount', 'subscriptions': 'monthly_amount'}.get(entity, '') }}
{%- endmacro %}
