"""Lifetime value: what customers are expected to bring, how sure that is, and where the valuable ones come from."""

import polars as pl
import streamlit as st

from dashboard import charts, interval_charts
from dashboard.elements import chart, head, number, served_by, switched_off
from dashboard.published import Published
from dashboard.words import money

LEAST = 11
"""Customers in any group that is told of."""


def show() -> None:
    """Draw the page."""
    data = head("Lifetime value", "What customers are expected to bring, from the as-of date on.")
    if switched_off(data, "clv"):
        return
    horizons = data.rows("select distinct horizon_days from ml.clv_predictions order by 1")["horizon_days"].to_list()
    if not horizons:
        st.info("There are no predictions for this day.")
        return
    horizon = (
        st.selectbox("Horizon", horizons, format_func=lambda days: f"{days} days") if horizons[1:] else horizons[0]
    )
    rows = data.rows("from ml.clv_predictions where horizon_days = ?", horizon)
    health = data.rows("from reports.rpt_model_health where model = 'clv' and horizon_days = ?", horizon)
    if health.height:
        served_by(health.row(0, named=True))
    columns = st.columns(3)
    expected = data.definition("ml.clv_predictions", "expected_amount")
    total = float(rows["expected_amount"].sum())
    number(columns[0], f"Expected in {horizon} days", money(total, data.currency), definition=expected)
    number(columns[1], "Customers", f"{rows.height:,}", definition=data.definition("ml.clv_predictions"))
    middle = rows["expected_amount"].median()
    number(columns[2], "Median customer", money(float(middle or 0), data.currency), definition=expected)  # type: ignore[arg-type]
    bins = charts.in_bins(rows["expected_amount"].to_list())
    chart(
        charts.histogram(
            bins,
            title=f"Customers by expected amount in {horizon} days",
            unit="Customers",
            x_title=f"Expected amount ({data.currency}); the largest hundredth is in the last bar",
        ),
        bins,
        definition=expected,
    )
    _tenths(data, rows, horizon)
    _origin(data, horizon)


def _tenths(data: Published, rows: pl.DataFrame, horizon: int) -> None:
    tenths = (
        rows.sort("expected_amount", "customer_id", descending=[True, False])
        .with_columns(tenth=(pl.int_range(pl.len()) * 10 // pl.len() + 1))
        .group_by("tenth", maintain_order=True)
        .agg(
            pl.len().alias("customer_count"),
            pl.col("expected_amount", "expected_amount_p10", "expected_amount_p90").mean(),
        )
        .filter(pl.col("customer_count") >= LEAST)
    )
    if tenths.height:
        chart(
            interval_charts.intervals(
                tenths,
                x="tenth",
                title=f"Mean expected amount in {horizon} days by tenth of customers, and the 10th to 90th percentile",
                x_title="Tenth of customers, the most valuable first",
                unit=f"Amount ({data.currency})",
            ),
            tenths,
            definition=data.definition("ml.clv_predictions", "expected_amount_p90"),
        )


def _origin(data: Published, horizon: int) -> None:
    for column, title in (
        ("strftime(customers.first_purchase_date, '%Y-%m')", "Mean expected amount by month of the first purchase"),
        ("customers.acquisition_channel", "Mean expected amount by acquisition channel"),
    ):
        groups = data.rows(
            f"select {column} as origin, count(*) as customer_count, avg(expected_amount) as mean_amount "
            "from ml.clv_predictions as predictions join marts.dim_customers as customers using (customer_id) "
            f"where horizon_days = ? and {column} is not null group by all having count(*) >= {LEAST} order by 1",
            horizon,
        ).tail(24)
        if groups.height > 1:
            chart(
                charts.bars(groups, label="origin", value="mean_amount", title=title, unit=f"Amount ({data.currency})"),
                groups,
                definition=f"Groups of fewer than {LEAST} customers are left out.",
            )
