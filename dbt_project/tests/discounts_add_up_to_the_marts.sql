-- Where anything is said about discounts, all money is in it, once.
with transactions as (

    select coalesce(sum(net_amount), 0) as net_amount from {{ ref('fct_transactions') }}

)

{% for report in ['rpt_discount_dependence', 'rpt_discounts_monthly'] -%}
select
    '{{ report }}' as report,
    sum(reported.net_amount) as reported_amount,
    min(transactions.net_amount) as transaction_amount
from {{ ref(report) }} as reported
cross join transactions
having sum(reported.net_amount) <> min(transactions.net_amount)
{{ 'union all' if not loop.last }}
{% endfor %}
