"""What customers of an experiment did after they were assigned, and before: one relation of SQL for each experiment.

Only customers whose days are over count, so that everybody in it is looked at for as long.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from orchestration.intake.experiments import Experiment, Metric
from orchestration.warehouse import literal, quoted

EXACT_VALUE: Final = "try_cast(value as decimal(18, 4))"
"""An interaction's value, so that no sum depends on the order of rows."""


def outcomes(name: str, one: Experiment, *, as_of: date) -> str:
    """The relation of customer_id, arm, and of each metric value_<number> and covariate_<number>, Decimal(18, 4)."""
    metrics = [
        f"cast({value} as decimal(18, 4)) as value_{number}, cast({before} as decimal(18, 4)) as covariate_{number}"
        for number, metric in enumerate(one.metrics)
        for value, before in [_columns(one, number, metric)]
    ]
    tables = [*_tables(one)]
    ctes = "".join(f", {alias} as ({query})" for alias, query in tables)
    joins = " ".join(f"left join {alias} on units.customer_id = {alias}.customer_id" for alias, _ in tables)
    return f"""(
        with units as (
            select customer_id, arm, first_date, coalesce(last_date, date '{as_of}') as last_date
            from ml.experiment_assignments
            where experiment_id = {literal(name)} and coalesce(last_date, date '{as_of}') <= date '{as_of}'
        ){ctes}
        select units.customer_id, units.arm, {", ".join(metrics)}
        from units {joins}
    )"""


def _columns(one: Experiment, number: int, metric: Metric) -> tuple[str, str]:
    """The value and the covariate of a metric."""
    value, before = {
        "conversion": ("(sold.count_after > 0)", "(sold.count_before > 0)"),
        "purchase_count": ("sold.count_after", "sold.count_before"),
        "net_amount": ("sold.amount_after", "sold.amount_before"),
        "response": ("answered.has_responded", "false"),
        "interaction": (f"(seen_{number}.count_after > 0)", f"(seen_{number}.count_before > 0)"),
        "interaction_count": (f"seen_{number}.count_after", f"seen_{number}.count_before"),
        "interaction_value": (f"seen_{number}.amount_after", f"seen_{number}.amount_before"),
        "attribute": (_attribute(metric.attribute), "0"),
    }[metric.measure]
    if one.covariate_attribute is not None:
        before = _attribute(one.covariate_attribute)
    return _number(value), _number(before)


def _number(expression: str) -> str:
    """Whoever did nothing has no row, and a truth is 0 or 1."""
    truth = expression.startswith("(") or expression in ("answered.has_responded", "false")
    return f"case when {expression} then 1 else 0 end" if truth else f"coalesce({expression}, 0)"


def _attribute(name: str | None) -> str:
    return f"try_cast(customers.{quoted(name or '')} as double)"


def _tables(one: Experiment) -> Iterator[tuple[str, str]]:
    """The queries that the metrics need, by alias: one row a customer."""
    measures = {metric.measure for metric in one.metrics}
    if measures & {"conversion", "purchase_count", "net_amount"}:
        yield "sold", _counted("fct_transactions", "transaction_date", "is_purchase", "net_amount", one)
    for number, metric in enumerate(one.metrics):
        if metric.kind is not None:
            is_kind = f"kind = {literal(metric.kind)}"
            yield f"seen_{number}", _counted("fct_interactions", "interaction_date", is_kind, EXACT_VALUE, one, is_kind)
    if "response" in measures:
        listed = ", ".join(literal(campaign) for arm in one.arms.values() for campaign in arm.campaigns)
        yield (
            "answered",
            f"""
            select units.customer_id, max(cast(contacts.has_responded as integer)) = 1 as has_responded
            from units inner join marts.fct_campaign_contacts as contacts on units.customer_id = contacts.customer_id
            where contacts.campaign_id in ({listed})
                and coalesce(cast(contacts.responded_at as date) <= units.last_date, true)
            group by units.customer_id""",
        )
    if "attribute" in measures or one.covariate_attribute is not None:
        yield "customers", "select * from marts.dim_customers"


def _counted(table: str, day: str, counts: str, amount: str, one: Experiment, where: str = "true") -> str:
    """Rows that count and amounts of a customer in the days of their outcomes and in those before."""
    is_after = f"coalesce(events.{day} >= units.first_date, true)"
    return f"""
        select
            units.customer_id,
            count(*) filter (where {counts} and {is_after}) as count_after,
            sum({amount}) filter (where {is_after}) as amount_after,
            count(*) filter (where {counts} and not {is_after}) as count_before,
            sum({amount}) filter (where not {is_after}) as amount_before
        from units inner join marts.{table} as events on units.customer_id = events.customer_id
        where {where} and events.{day} <= units.last_date
            and coalesce(events.{day} >= units.first_date - {one.covariate_days}, true)
        group by units.customer_id"""
