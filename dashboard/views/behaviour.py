"""Purchase behaviour: when people buy, how often they come back, and what goes together."""

import polars as pl
import streamlit as st

from dashboard import charts
from dashboard.elements import chart, head, note, nothing, table
from dashboard.published import Published


def show() -> None:
    """Draw the page."""
    data = head("Purchase behaviour", "When people buy, when they come back, and what they buy together.")
    _times(data)
    _seasons(data)
    _gaps(data)
    _pairs(data)


def _times(data: Published) -> None:
    times = data.rows(
        "select weekday_name, coalesce(hour_of_day::varchar, 'all day') as hour, transaction_index, transaction_count "
        "from reports.rpt_purchase_times order by weekday_number, hour_of_day"
    )
    if times["transaction_count"].sum():
        chart(
            charts.heat_map(
                times,
                x=("hour", "Hour of the day"),
                y=("weekday_name", None),
                value="transaction_index",
                title="When people buy, against an even spread",
                unit="Index (1: as many as everywhere)",
                form=".1f",
            ),
            times,
            definition=data.definition("reports.rpt_purchase_times"),
        )


def _seasons(data: Published) -> None:
    months = data.rows(
        "select month_start, daily_net_amount, seasonal_index from reports.rpt_purchase_seasons "
        "where is_complete_month order by 1"
    )
    if months.height > 1:
        chart(
            charts.lines(
                months,
                x="month_start:T",
                y="daily_net_amount",
                title="Net amount a day by month",
                x_title="Month",
                unit=f"Net amount a day ({data.currency})",
            ),
            months,
            definition=data.definition("reports.rpt_purchase_seasons"),
        )


def _gaps(data: Published) -> None:
    bands = data.rows(
        "select purchase_band, customer_count, next_rate_30_days, next_rate_90_days, median_gap_days "
        "from reports.rpt_purchase_gaps where customer_count > 0 order by lowest_purchase_number"
    )
    rates = bands.filter(pl.col("next_rate_90_days").is_not_null())
    if rates.height:
        chart(
            charts.bars(
                rates,
                label="purchase_band",
                value="next_rate_90_days",
                title="Share that bought again within 90 days, by which purchase it was",
                unit="Share of customers",
                form=".0%",
            ),
            bands,
            definition=data.definition("reports.rpt_purchase_gaps"),
        )


def _pairs(data: Published) -> None:
    st.header("What is bought together")
    level = st.radio("Level", ["product", "category"], horizontal=True)
    pairs = data.rows(
        "select coalesce(first_name || ' (' || first_id || ')', first_id) as first, "
        "coalesce(second_name || ' (' || second_id || ')', second_id) as second, basket_count, "
        "lift, lift_lower, confidence_of_second from reports.rpt_product_pairs where level = ? "
        "order by lift_lower desc limit 30",
        level,
    )
    if pairs.is_empty():
        nothing("No pair is bought together more often than chance explains.")
    else:
        table(pairs)
    note(data.definition("reports.rpt_product_pairs"))
