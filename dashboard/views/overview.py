"""The overview: each number of the shop's last week beside what is usual, and where a month's revenue came from."""

import polars as pl
import streamlit as st

from dashboard import charts
from dashboard.elements import chart, head, number
from dashboard.kpis import bridge_steps, weekly, whole_months
from dashboard.published import Published
from dashboard.words import UNCHANGED, change_of, unit_of, usual_of, value_of
from orchestration.words import heading


def show() -> None:
    """Draw the page."""
    data = head("Overview", "The last whole week beside the weeks before it.")
    weeks = weekly(data)
    if weeks.is_empty():
        st.info("There is no whole week of trade yet.")
        return
    _numbers(data, weeks)
    metrics = weeks["metric"].unique(maintain_order=True).to_list()
    metric = st.selectbox("Metric", metrics, format_func=heading)
    one = weeks.filter(pl.col("metric") == metric).tail(60)
    chart(
        charts.control_chart(one, title=f"{heading(metric)} by week", unit=unit_of(metric, data.currency)),
        one.select("week_end", "value", "lower_limit", "upper_limit", "is_beyond_limits").tail(26),
        definition="The grey band is where a week lies by chance: mean and moving range of the 26 weeks before it.",
    )
    _bridge(data)


def _numbers(data: Published, weeks: pl.DataFrame) -> None:
    last = weeks.group_by("metric", maintain_order=True).last()
    for place, week in enumerate(last.iter_rows(named=True)):
        if place % 3 == 0:  # row by row, as it is read aloud
            columns = st.columns(3)
        metric = week["metric"]
        number(
            columns[place % 3],
            heading(metric),
            value_of(metric, week["value"], data.currency),
            delta=(change := change_of(week)),
            delta_color=_colour(metric, change),
            delta_arrow="off" if change == UNCHANGED else "auto",
            definition=week["definition"],
            usual=("Beyond its limits. " if week["is_beyond_limits"] else "") + usual_of(week, data.currency),
        )


def _colour(metric: str, change: str | None) -> str:
    """How a change is coloured: green for more, of returns for less, and grey for none."""
    if change == UNCHANGED:
        return "off"
    return "inverse" if metric == "return_rate" else "normal"


def _bridge(data: Published) -> None:
    months = whole_months(data)
    if not months:
        return
    month = st.selectbox("Month", months, format_func=lambda day: f"{day:%B %Y}")
    steps = bridge_steps(data, month)
    chart(
        charts.bridge(
            steps, title=f"Net amount of {month:%B %Y} against the month before", unit=f"Net amount ({data.currency})"
        ),
        steps.select("step", "amount"),
        definition=f"The axis does not begin at zero. {data.definition('reports.rpt_revenue_bridge')}",
    )
