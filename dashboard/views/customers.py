"""Customers: how many there are and are new, how cohorts come back, and what they cost and bring."""

import polars as pl
import streamlit as st

from dashboard import charts
from dashboard.elements import chart, head, number, switched_off
from dashboard.published import Published


def show() -> None:
    """Draw the page."""
    data = head("Customers and cohorts", "Who buys, and who comes back.")
    counts = data.rows(
        "select count(*) as known, count(*) filter (where purchase_count > 0) as buyers, "
        "count(*) filter (where purchase_count > 1) as repeat_buyers, "
        "count(*) filter (where first_purchase_date > as_of_date - 30) as newly "
        "from marts.dim_customers, marts.dim_as_of"
    ).row(0, named=True)
    columns = st.columns(4)
    number(columns[0], "Known customers", f"{counts['known']:,}", definition=data.definition("marts.dim_customers"))
    number(columns[1], "With a purchase", f"{counts['buyers']:,}", definition="Customers who ever bought.")
    share = counts["repeat_buyers"] / counts["buyers"] if counts["buyers"] else 0
    number(columns[2], "Bought again", f"{share:.0%}", definition="Share of those with a purchase who made a second.")
    number(
        columns[3],
        "New in 30 days",
        f"{counts['newly']:,}",
        definition="First purchase in the 30 days to the as-of date.",
    )
    _cohorts(data)
    _frequency(data)
    _channels(data)


def _cohorts(data: Published) -> None:
    cells = data.rows(
        "select strftime(cohort_month, '%Y-%m') as cohort, month_number, customer_count, active_count, retention_rate "
        "from reports.rpt_cohort_retention where month_number > 0 and month_number <= 12 and is_complete_month "
        "and cohort_month >= (select max(cohort_month) from reports.rpt_cohort_retention) - interval 18 month "
        "order by cohort, month_number"
    )
    if cells.is_empty():
        return
    chart(
        charts.heat_map(
            cells,
            x=("month_number", "Months after the first purchase"),
            y=("cohort", "Month of the first purchase"),
            value="retention_rate",
            title="Share of a cohort that bought again, by month since the first purchase",
            unit="Retention",
        ),
        cells,
        definition=data.definition("reports.rpt_cohort_retention"),
    )


def _frequency(data: Published) -> None:
    bands = data.rows(
        "select purchase_band, customer_count, customer_share, net_amount, revenue_share "
        "from reports.rpt_purchase_frequency where customer_count > 0 order by lowest_purchase_count nulls last"
    )
    chart(
        charts.bars(
            bands,
            label="purchase_band",
            value="customer_count",
            title="Customers by how often they bought",
            unit="Customers",
        ),
        bands,
        definition=data.definition("reports.rpt_purchase_frequency"),
    )


def _channels(data: Published) -> None:
    st.header("Acquisition")
    if switched_off(data, "acquisition"):
        return
    channels = data.rows(
        "select acquisition_channel, sum(customer_count) as customer_count, sum(value_amount) as value_amount "
        "from reports.rpt_acquisition group by all order by 2 desc"
    ).with_columns(pl.col("customer_count").cast(pl.Int64))
    chart(
        charts.bars(
            channels,
            label="acquisition_channel",
            value="customer_count",
            title="Customers by channel",
            unit="Customers",
        ),
        channels,
        definition=data.definition("reports.rpt_acquisition"),
    )
