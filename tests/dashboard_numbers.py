"""What each page of the dashboard must show, as SQL on the published tables that owes nothing to the page's own.

`METRICS` gives a page's single numbers by their label, as text; `TABLES` rows that some of its tables must hold.
"""

from typing import Final, NamedTuple


class Shown(NamedTuple):
    """A table of a page: the columns that tell its rows apart, others of it, and the query whose rows it must hold."""

    keys: tuple[str, ...]
    values: tuple[str, ...]
    query: str


CHURN = "from ml.churn_scores"
CLV = "from ml.clv_predictions"
LISTS = "from ml.product_recommendations"
AHEAD = "from ml.demand_forecasts"
GROUP = f"(select product_group {AHEAD} group by all order by sum(expected_demand) desc, product_group limit 1)"
SPRING = "from reports.rpt_experiments where experiment_id = 'spring'"

METRICS: Final[dict[str, dict[str, str]]] = {
    "Customers and cohorts": {
        "Known customers": "select format('{:,}', count(distinct customer_id)) from marts.dim_customers",
        "With a purchase": "select format('{:,}', count(distinct customer_id)) from marts.fct_transactions "
        "where not is_return",
        "Bought again": "select format('{:.0f}%', 100.0 * count(*) filter (where purchase_count > 1) "
        "/ count(*) filter (where purchase_count > 0)) from marts.dim_customers",
        "New in 30 days": "select format('{:,}', count(*)) from marts.dim_customers "
        "where first_purchase_date between date '2026-06-01' and date '2026-06-30'",
    },
    "Churn": {
        "Customers scored": f"select format('{{:,}}', count(*)) {CHURN}",
        "At high risk": f"select format('{{:,}}', count(*) filter (where risk_band = 'high')) {CHURN}",
        "Mean probability": f"select format('{{:.1f}}%', 100 * avg(churn_probability)) {CHURN}",
    },
    "Lifetime value": {
        "Expected in 60 days": f"select format('{{:,.0f}} EUR', sum(expected_amount)) {CLV}",
        "Customers": f"select format('{{:,}}', count(distinct customer_id)) {CLV}",
        "Median customer": f"select format('{{:,.2f}} EUR', median(expected_amount)) {CLV}",
    },
    "Next product": {
        "Customers with a list": f"select format('{{:,}}', count(distinct customer_id)) {LISTS}",
        "Different items on the lists": f"select format('{{:,}}', count(distinct product_id)) {LISTS}",
        "Bought before": f"select format('{{:.0f}}%', 100.0 * count(*) filter (where is_repeat) / count(*)) {LISTS}",
        "Recall at 10": "select format('{:.1f}%', 100 * value) from ml.model_evaluations where metric = 'recall_at_10' "
        "and candidate = (select candidate from ml.model_versions where model = 'recommendations' "
        "and served_by is not null) order by cutoff_date desc limit 1",
    },
    "Demand": {
        "Groups of products": f"select format('{{:,}}', count(distinct product_group)) {AHEAD}",
        "Expected in 4 weeks": f"select format('{{:,.0f}} pieces', sum(expected_demand)) {AHEAD}",
        "Served by a model": "select format('{:.0f}%', 100.0 * count(*) filter (where served_by = 'champion') "
        f"/ count(*)) {AHEAD}",
    },
    "Campaigns": {
        "Campaigns": "select format('{:,}', count(distinct campaign_id)) from reports.rpt_campaign_effects",
        "With an effect that is shown": "select (count(distinct campaign_id) filter (where is_effect))::varchar "
        "from reports.rpt_campaign_effects",
        "Customers with an offer": "select format('{:,}', coalesce(sum(offered_count), 0)::bigint) from ml.offer_plans",
    },
    "Experiments": {
        "Customers assigned": f"select format('{{:,}}', max(assigned_count)) {SPRING}",
        "Arms": f"select count(distinct arm)::varchar {SPRING}",
        "Shares of the arms": f"select case any_value(is_sample_ratio_kept) when true then 'kept' when false "
        f"then 'lost: it says nothing' else 'not known' end {SPRING}",
    },
    "Data quality": {
        "Rows received": "select format('{:,}', sum(row_count)::bigint) from quality.loads",
        "Rejected": "select format('{:,}', count(*)) from quality.rejected_rows",
        "Unaccounted for": "select format('{:,.0f}', sum(abs(received - accepted - rejected - excluded - repeated "
        "- superseded - erased))) from quality.reconciliation",
    },
}


TABLES: Final[dict[str, list[Shown]]] = {
    "Overview": [
        Shown(
            ("step",),
            ("amount",),
            "with months as (select date_trunc('month', transaction_date) as month, sum(net_amount) as net_amount "
            "from marts.fct_transactions group by all order by 1 desc limit 2) "
            "select 'after', (select net_amount from months order by month desc limit 1)",
        ),
    ],
    "Customers and cohorts": [
        Shown(
            ("purchase band",),
            ("customer count",),
            "select '1', count(*) from marts.dim_customers where purchase_count = 1 union all "
            "select '2', count(*) from marts.dim_customers where purchase_count = 2",
        ),
        Shown(
            ("cohort", "month number"),
            ("active count", "retention rate"),
            "select strftime(first_purchase_date, '%Y-%m'), 1, count(*) filter (where came), "
            "count(*) filter (where came) / count(*) from (select c.customer_id, c.first_purchase_date, "
            "count(t.transaction_id) > 0 as came from marts.dim_customers as c left join marts.fct_transactions as t "
            "on c.customer_id = t.customer_id and not t.is_return and date_trunc('month', t.transaction_date) "
            "= date_trunc('month', c.first_purchase_date) + interval 1 month group by all) group by 1 "
            "order by 1 limit 1",
        ),
    ],
    "Segments": [
        Shown(
            ("segment",),
            ("customer count", "customer share"),
            "select segment, count(*), count(*) / sum(count(*)) over () from ml.customer_segments "
            "where strategy = 'rfm' group by 1 order by 2 desc, 1 limit 5",
        ),
        Shown(
            ("segment",),
            ("net amount",),
            "select segment, sum(net_amount) from ml.customer_segments join marts.fct_transactions using (customer_id) "
            "where strategy = 'rfm' group by 1 order by count(distinct customer_id) desc, 1 limit 5",
        ),
    ],
    "Churn": [
        Shown(
            ("feature",),
            ("customer count",),
            f"select feature, count(*) from ml.churn_reasons where rank = 1 and contribution > 0 and customer_id in "
            f"(select customer_id {CHURN} where risk_band = 'high') group by 1 having count(*) > 10 order by 2 desc, 1",
        ),
        Shown(
            ("candidate", "cutoff date"),
            ("value", "lower", "upper"),
            "select candidate, cutoff_date, value, lower, upper from ml.model_evaluations where metric = 'auc' "
            "and model = 'churn' order by 1, 2",
        ),
        Shown(
            ("customer id",),
            ("churn probability", "expected amount"),
            f"select customer_id, churn_probability, round(expected_amount, 2) {CHURN} join ml.clv_predictions "
            "using (customer_id) where risk_band = 'high' order by churn_probability * expected_amount desc, 1 limit 3",
        ),
    ],
    "Lifetime value": [
        Shown(
            ("tenth",),
            ("customer count", "expected amount", "expected amount p10", "expected amount p90"),
            "select 1, count(*), avg(expected_amount), avg(expected_amount_p10), avg(expected_amount_p90) from "
            f"(select * {CLV} order by expected_amount desc limit (select ceil(count(*) / 10.0)::bigint {CLV}))",
        ),
        Shown(
            ("origin",),
            ("customer count", "mean amount"),
            "select strftime(first_purchase_date, '%Y-%m'), count(*), avg(expected_amount) "
            f"{CLV} join marts.dim_customers using (customer_id) group by 1 having count(*) > 10 order by 1",
        ),
    ],
    "Next product": [
        Shown(
            ("name", "category"),
            ("customer count", "repeat share"),
            f"select name, category, count(*), count(*) filter (where is_repeat) / count(*) {LISTS} "
            "group by 1, 2 order by 3 desc, 1, 2",
        ),
        Shown(
            ("candidate", "cutoff date"),
            ("value",),
            "select candidate, cutoff_date, value from ml.model_evaluations where metric = 'recall_at_10' "
            "order by 1, 2",
        ),
    ],
    "Demand": [
        Shown(
            ("forecaster",),
            ("error share",),
            "select case candidate when 'served' then 'what is served' when 'last_week' then 'last week again (rule)' "
            "else candidate end, wape from ml.demand_evaluations where product_group = 'all groups' "
            "and origin_count = 1 order by wape, candidate",
        ),
        Shown(
            ("product group",),
            ("expected demand",),
            f"select product_group, sum(expected_demand) {AHEAD} group by 1 order by 2 desc, 1",
        ),
        Shown(
            ("week end date", "kind"),
            ("value",),
            "select date '2026-06-30', 'sold', sum(quantity) from marts.fct_transaction_lines "
            f"join marts.dim_products using (product_id) where kind = 'sale' and category = {GROUP} "
            "and transaction_date > date '2026-06-23' union all select week_end_date, 'expected', expected_demand "
            f"{AHEAD} where product_group = {GROUP}",
        ),
    ],
    "Purchase behaviour": [
        Shown(
            ("purchase band",),
            ("customer count",),
            "select '1', count(*) from marts.dim_customers where purchase_count > 0 union all "
            "select '2', count(*) from marts.dim_customers where purchase_count > 1",
        ),
        Shown(
            ("month start",),
            ("daily net amount",),
            "select date_trunc('month', transaction_date)::date, sum(net_amount) / 31 from marts.fct_transactions "
            "where month(transaction_date) in (7, 8, 10, 12) group by 1 order by 1",
        ),
    ],
    "Feedback": [
        Shown(
            ("language",),
            ("message count",),
            "select language, count(*) from ml.feedback_messages group by 1 having count(distinct customer_id) > 10 "
            "order by 2 desc",
        ),
        Shown(
            ("group name",),
            ("customer count",),
            "select segment, count(distinct customer_id) from ml.customer_segments join marts.fct_feedback "
            "using (customer_id) where strategy = 'behavioural' and rating is not null group by 1",
        ),
    ],
    "Campaigns": [
        Shown(
            ("list",),
            ("segment", "customer count"),
            "select replace(list_name, '_', ' '), any_value(segment), count(*) from ml.lookalikes group by list_name",
        ),
        Shown(("offer",), ("status", "offered count"), "select offer, status, offered_count from ml.offer_plans"),
    ],
    "Experiments": [
        Shown(
            ("arm",),
            ("customer count", "mean per customer"),
            f"select arm, customer_count, mean {SPRING} and metric = 'net_amount' order by is_control desc, arm",
        ),
    ],
    "Model health": [
        Shown(
            ("metric",),
            ("model", "best rule"),
            "select 'AUC', max(value) filter (where candidate in (select candidate from ml.model_versions where "
            "model = 'churn' and status = 'champion')), max(value) filter (where candidate in ('recency', 'frequency', "
            "'own_rhythm', 'base_rate')) from ml.model_evaluations where model = 'churn' and metric = 'auc' "
            "and cutoff_date = (select max(cutoff_date) from ml.model_evaluations where model = 'churn')",
        ),
        Shown(
            ("candidate", "cutoff date"),
            ("value", "lower", "upper"),
            "select candidate, cutoff_date, value, lower, upper from ml.model_evaluations where metric = "
            "'normalised_gini' and model = 'clv' order by 1, 2",
        ),
    ],
    "Data quality": [
        Shown(
            ("reason",),
            ("row count",),
            "select entity || ': ' || reason, count(*) from quality.rejected_rows group by 1 order by 2 desc, 1",
        ),
        Shown(
            ("entity", "measure"),
            ("received", "difference"),
            "select entity, 'rows', sum(row_count), 0 from quality.loads group by 1 order by 1 limit 4",
        ),
        Shown(
            ("capability",),
            ("reason",),
            "select capability, reason from quality.capabilities where not is_available order by 1",
        ),
    ],
}
