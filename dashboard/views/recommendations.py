"""Next product: what customers are likely to buy next, to whom to offer an item, and how good such lists were."""

from typing import Any

import polars as pl
import streamlit as st

from dashboard import charts, interval_charts
from dashboard.elements import chart, head, note, nothing, number, served_by, switched_off, table
from dashboard.published import Published
from dashboard.views.lifetime_value import LEAST
from orchestration.words import heading

TABLE = "ml.product_recommendations"
OFFERED = 500
"""Items to choose from, and customers shown of one; all of them are in the table."""
ITEMS = (
    "select name, category, count(distinct customer_id) as customer_count, avg(is_repeat::int) as repeat_share "
    f"from {TABLE} group by all having count(distinct customer_id) >= {LEAST} "
    f"order by customer_count desc, name, category limit {OFFERED}"
)
LABEL = (
    pl.when(pl.col("name").is_duplicated() & pl.col("category").is_not_null())
    .then(pl.format("{} ({})", "name", "category"))
    .otherwise("name")
)
"""The name of an item, with its category where the name alone stands for several."""


def show() -> None:
    """Draw the page."""
    data = head("Next product", "What customers are likely to buy next, and how good such lists were on past days.")
    if switched_off(data, "product_recommendations"):
        return
    health = data.rows("from reports.rpt_model_health where model = 'recommendations'")
    counts = data.rows(
        "select count(distinct customer_id) as customers, count(distinct coalesce(product_id, category)) as items, "
        f"avg(is_repeat::int) as repeats, any_value(horizon_days) as horizon_days from {TABLE}"
    ).row(0, named=True)
    if health.is_empty() or not counts["customers"]:
        nothing("Nobody has a list: none bought in the last year, or too few items are known.")
        return
    served = health.row(0, named=True)
    served_by(served)
    columns = st.columns(4)
    number(columns[0], "Customers with a list", f"{counts['customers']:,}", definition=data.definition(TABLE))
    number(
        columns[1], "Different items on the lists", f"{counts['items']:,}", definition=data.definition(TABLE, "name")
    )
    number(columns[2], "Bought before", f"{counts['repeats']:.0%}", definition=data.definition(TABLE, "is_repeat"))
    _recall(data, columns[3], served, counts["horizon_days"])
    _contest(data, served)
    _items(data)
    _customers(data)


def _recall(data: Published, column: Any, served: dict[str, object], horizon: int) -> None:
    """How good the lists that are served were on the latest test day, and what stands against them."""
    found = data.rows(
        "select value from ml.model_evaluations where model_version = ? and candidate = ? and metric = 'recall_at_10' "
        "order by cutoff_date desc limit 1",
        served["model_version"],
        served["candidate"],
    )
    is_model = served["served_by"] == "champion"
    against = served["best_rule_rank_value" if is_model else "rank_value"]
    number(
        column,
        "Recall at 10",
        f"{found.item():.1%}" if found.height else "not tested",
        definition=f"Share of what a customer bought in the {horizon} days after the latest test day that "
        "was among the ten recommended.",
        usual="" if against is None else f"The best {'rule' if is_model else 'model'}: {against:.1%}",
    )


def _contest(data: Published, served: dict[str, object]) -> None:
    grades = data.rows(
        "select metric, candidate, cutoff_date, value, lower, upper from ml.model_evaluations "
        "where model_version = ? and metric <> 'ndcg_loss_at_10' order by metric desc, candidate, cutoff_date",
        served["model_version"],
    )
    if grades.is_empty():
        nothing("No past day could be tested yet: a rule serves.")
        return
    metrics = grades["metric"].unique(maintain_order=True).to_list()
    place = metrics.index("recall_at_10") if "recall_at_10" in metrics else 0
    metric = st.radio("Metric", metrics, index=place, format_func=heading, horizontal=True)
    shown = grades.filter(pl.col("metric") == metric).drop("metric")
    chart(
        interval_charts.contest(
            shown,
            served=str(served["candidate"]),
            title=f"{heading(metric)} of every candidate and rule on past days that none had seen",
            unit=heading(metric) + (", 95 % interval" if shown["lower"].count() else ""),
        ),
        shown,
        definition=data.definition("ml.model_evaluations"),
    )


def _items(data: Published) -> None:
    items = data.rows(ITEMS)
    if items.is_empty():
        nothing(f"No item is recommended to {LEAST} customers or more.")
        return
    most = items.head(15).with_columns(item=LABEL)
    chart(
        charts.bars(
            most,
            label="item",
            value="customer_count",
            title="What is recommended to most customers",
            unit="Customers",
            form=",d",
        ),
        most.drop("item"),
        definition="Customers who have it on their list; products of one name and category are one item. Items of "
        f"fewer than {LEAST} customers are left out.",
    )


def _customers(data: Published) -> None:
    st.header("To whom to offer an item")
    items = data.rows(ITEMS)
    if items.is_empty():
        return
    choices = dict(zip(items.select(LABEL).to_series(), items.select("name", "category").rows(), strict=True))
    name, category = choices[st.selectbox("Item", list(choices))]
    listed = data.rows(
        f"select customer_id, rank, score, is_repeat, reason from {TABLE} where name = ? "
        "and category is not distinct from ? qualify row_number() over (partition by customer_id order by rank) = 1 "
        f"order by score desc, customer_id limit {OFFERED}",
        name,
        category,
    ).with_columns(is_repeat=pl.when("is_repeat").then(pl.lit("yes")).otherwise(pl.lit("no")))
    note(
        "Ids only, the likeliest first: who they are is for those to look up who may. "
        + data.definition(TABLE, "score")
    )
    table(listed, height=400)
