"""Segments: who is in each, what sets them apart, what they bring, and who moved since the last published day."""

import polars as pl
import streamlit as st

from dashboard import charts
from dashboard.elements import chart, head, note, nothing, table
from dashboard.published import Published
from orchestration.words import heading


def show() -> None:
    """Draw the page."""
    data = head("Segments", "How each strategy divides the customers, and what the parts are worth.")
    strategies = data.rows("select strategy, status, reason from ml.segment_strategies order by strategy")
    names = strategies["strategy"].to_list()
    chosen = st.selectbox("Strategy", names, index=names.index("rfm") if "rfm" in names else 0, format_func=heading)
    status = strategies.row(by_predicate=pl.col("strategy") == chosen, named=True)
    profiles = data.rows(
        "select segment, words, customer_count, customer_share, net_amount, revenue_share, median_recency_days, "
        "median_frequency_count, median_net_amount, average_churn_probability, average_expected_amount "
        "from reports.rpt_segment_profiles where strategy = ? order by customer_count desc, segment",
        chosen,
    ).with_columns(pl.col("segment").str.replace_all("_", " "))
    if profiles.is_empty():
        nothing(f"{heading(chosen)} has no segments: {status['reason'] or status['status']}.")
        return
    left, right = st.columns(2)
    with left:
        chart(
            charts.bars(
                profiles,
                label="segment",
                value="customer_share",
                title="Customers by segment",
                unit="Share of customers",
                form=".0%",
            ),
            profiles.select("segment", "customer_count", "customer_share"),
            definition=data.definition("reports.rpt_segment_profiles", "customer_share"),
        )
    with right:
        chart(
            charts.bars(
                profiles,
                label="segment",
                value="revenue_share",
                title="Revenue by segment",
                unit="Share of net amount",
                form=".0%",
                colour=charts.GREEN,
            ),
            profiles.select("segment", "net_amount", "revenue_share"),
            definition=data.definition("reports.rpt_segment_profiles", "revenue_share"),
        )
    st.header("What they are like")
    for profile in profiles.filter(pl.col("words").is_not_null()).iter_rows(named=True):
        st.markdown(f"**{profile['segment']}**: {profile['words']}")
    table(profiles.drop("words"))
    note(data.definition("reports.rpt_segment_profiles"))
    _moves(data, chosen)


NOT_THERE, NOT_TOLD = "not there before", "not told apart"
"""Before the last published day, and where few customers took one of the ways into a segment."""


def _moves(data: Published, strategy: str) -> None:
    st.header("Who moved since the last published day")
    moves = data.rows(
        f"select case when change = 'various' then '{NOT_TOLD}' else coalesce(previous_segment, '{NOT_THERE}') end "
        "as before, coalesce(segment, 'various') as now, "
        "sum(customer_count)::bigint as customer_count from reports.rpt_segment_migrations "
        "where strategy = ? group by all order by before, now",
        strategy,
    ).with_columns(pl.col("before", "now").str.replace_all("_", " "))
    if moves.is_empty():
        nothing("Nobody is in a segment of this strategy yet.")
        return
    if moves["before"].unique().to_list() == [NOT_THERE]:
        nothing("This is the first published day, so nobody has moved yet.")
        return
    chart(
        charts.heat_map(
            moves,
            x=("now", "Segment now"),
            y=("before", "Segment before"),
            value="customer_count",
            title="Customers by segment before and now",
            unit="Customers",
            form=",d",
            angle=-30,
        ),
        moves,
        definition=data.definition("reports.rpt_segment_migrations"),
    )
