"""The overview's numbers, for the page and for the file that is mailed: the shop's weeks, and its revenue bridge."""

from datetime import date
from typing import Final

import polars as pl

from dashboard.published import Published

TABLES: Final = ("marts.dim_as_of", "reports.rpt_kpis_weekly", "reports.rpt_revenue_bridge")
"""What the overview is made of."""
COMPONENTS: Final = ("new", "win-back", "repeat", "lost", "guests", "no purchase", "other")


def weekly(data: Published) -> pl.DataFrame:
    """Every week of every metric, in reading order."""
    return data.rows("from reports.rpt_kpis_weekly order by metric_number, week_end")


def bridge_steps(data: Published, month: date) -> pl.DataFrame:
    """The steps of one month's revenue bridge: step, amount, start, end, top, kind."""
    found = data.rows(
        "select component, change_amount, previous_net_amount, net_amount from reports.rpt_revenue_bridge "
        "where month_start = ?",
        month,
    )
    before, after = float(found["previous_net_amount"].sum()), float(found["net_amount"].sum())
    changes = dict(found.select("component", "change_amount").iter_rows())
    steps: list[dict[str, object]] = []
    level = before
    for component in (name for name in COMPONENTS if changes.get(name)):
        amount = changes[component]
        kind = "more" if amount > 0 else "less"
        steps.append({"step": component, "amount": amount, "start": level, "end": level + amount, "kind": kind})
        level += amount
    total = [
        {"step": name, "amount": at, "start": 0.0, "end": at, "kind": "total"}
        for name, at in (("before", before), ("after", after))
    ]
    return pl.DataFrame([total[0], *steps, total[1]]).with_columns(top=pl.max_horizontal("start", "end"))


def whole_months(data: Published) -> list[date]:
    """The months that have a bridge from a whole month before, newest first."""
    found = data.rows("select distinct month_start from reports.rpt_revenue_bridge where is_complete_month order by 1")
    return found["month_start"].to_list()[:0:-1]
