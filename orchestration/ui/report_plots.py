"""Pictures of segments and purchases, drawn from what the day's tables say and shown beside them in the Dagster UI."""

from collections.abc import Sequence
from datetime import date
from math import isnan
from typing import TYPE_CHECKING, Final

import polars as pl

from orchestration.ui.plots import GRID_COLOUR, new_figure
from orchestration.words import heading

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
COHORTS: Final = 24
"""Months that a cohort triangle still shows legibly."""
MERGED: Final = "other segments"
"""Where ways of few customers are one with the next smallest: whether they moved is not told."""
PALETTE: Final = (
    "#2f5bd8", "#e08a1e", "#3a9d5d", "#c0392b", "#7d5ba6", "#8c6d46",
    "#d870ad", "#6b7785", "#b0a51f", "#2aa6b8", "#555555",
)  # fmt: skip


def rfm_heat_map(cells: pl.DataFrame, *, as_of: date, currency: str) -> "Figure":
    """Customers by recency and frequency score, with their average net amount."""
    figure, (axes,) = new_figure(6.6, 5.2)
    counts = cells.pivot("frequency_score", index="recency_score", values="customer_count").sort("recency_score")
    grid = counts.drop("recency_score").to_numpy()
    image = axes.imshow(grid, cmap="Blues", origin="lower", aspect="auto")
    for row in cells.iter_rows(named=True):
        count, amount = row["customer_count"], row["average_monetary_amount"]
        text = f"{count:,}" + (f"\n{amount:,.0f}" if count else "")
        colour = "white" if count > grid.max() * 0.55 else "#222222"
        axes.text(
            row["frequency_score"] - 1,
            row["recency_score"] - 1,
            text,
            ha="center",
            va="center",
            color=colour,
            fontsize=9,
        )
    axes.set_xticks(range(5), ["1 (rarely)", "2", "3", "4", "5 (often)"])
    axes.set_yticks(range(5), ["1 (long ago)", "2", "3", "4", "5 (lately)"])
    axes.set_xlabel("Frequency score")
    axes.set_ylabel("Recency score")
    axes.set_title(
        f"Customers by recency and frequency, {as_of}\n(count; below it, average net amount in {currency})", fontsize=11
    )
    figure.colorbar(image, ax=axes, label="Customers", shrink=0.85)
    return figure


def cohort_triangle(cohorts: pl.DataFrame) -> "Figure":
    """Customers of each cohort who bought in each month after their first, from rows of `rpt_cohort_retention`."""
    complete = cohorts.filter("is_complete_month", pl.col("month_number") > 0, pl.col("retention_rate").is_not_null())
    months = complete["cohort_month"].unique().sort().tail(COHORTS).to_list()
    shown = complete.filter(pl.col("cohort_month").is_in(months))
    width = int(str(shown["month_number"].max() or 0)) if shown.height else 0
    grid = [[float("nan")] * max(1, width) for _ in months]
    for row in shown.iter_rows(named=True):
        grid[months.index(row["cohort_month"])][row["month_number"] - 1] = 100 * row["retention_rate"]
    sizes = dict(cohorts.filter(pl.col("month_number") == 0).select("cohort_month", "customer_count").iter_rows())
    figure, (axes,) = new_figure(min(10.5, 3.4 + 0.5 * max(4, width)), 1.8 + 0.34 * max(3, len(months)))
    image = axes.imshow(grid, cmap="Blues", aspect="auto", vmin=0)
    _numbers(axes, grid, "{:.0f}")
    axes.set_xticks(range(width), [str(number) for number in range(1, width + 1)])
    axes.set_yticks(range(len(months)), [f"{month:%b %Y}, {sizes.get(month, 0):,} customers" for month in months])
    axes.set_xlabel("Months after the first purchase")
    axes.set_title(
        "Customers who bought again, by month of their first purchase\n(% of the cohort, complete months)", fontsize=11
    )
    figure.colorbar(image, ax=axes, label="% of the cohort", shrink=0.85)
    return figure


def migration_flow(migrations: pl.DataFrame, *, strategy: str, as_of: date) -> "Figure":
    """From the segments of the last day to those of this one: bands as wide as they have customers.

    Ways that are merged, since few customers took one of them, are grey: of those it is not told whether they moved.
    """
    known = migrations.filter(pl.col("strategy") == strategy, pl.col("previous_segment").is_not_null())
    flows = known.group_by("previous_segment", "segment").agg(count=pl.col("customer_count").sum())
    sizes = (
        pl.concat(flows.select(segment=column, count="count") for column in ("previous_segment", "segment"))
        .group_by("segment")
        .agg(pl.col("count").sum())
    )
    order = sizes.sort("count", "segment", descending=[True, False])["segment"].to_list()
    colours = {segment: PALETTE[place % len(PALETTE)] for place, segment in enumerate(order)} | {MERGED: GRID_COLOUR}
    total = int(flows["count"].sum())
    gap = 0.02 * total
    figure, (axes,) = new_figure(8.6, 1.6 + 0.45 * max(6, len(order)))
    left, right = (_tops(flows, column, order, gap) for column in ("previous_segment", "segment"))
    for row in flows.sort(
        pl.col("previous_segment").cast(pl.Enum(order)), pl.col("segment").cast(pl.Enum(order))
    ).iter_rows(named=True):
        before, after, count = row["previous_segment"], row["segment"], row["count"]
        moves = before not in (after, MERGED)
        _band(axes, left[before], right[after], count, colour=colours[before], alpha=0.75 if moves else 0.25)
        left[before] += count
        right[after] += count
    for column, x, align in (("previous_segment", -0.02, "right"), ("segment", 1.02, "left")):
        tops = _tops(flows, column, order, gap)
        counts = dict(flows.group_by(column).agg(pl.col("count").sum()).iter_rows())
        for segment, count in counts.items():
            axes.text(
                x,
                tops[segment] + count / 2,
                f"{_side(segment, column)} {count:,}",
                ha=align,
                va="center",
                fontsize=9,
            )
    untold = int(flows.filter(previous_segment=MERGED)["count"].sum())
    told = flows.filter(pl.col("previous_segment") != MERGED)
    moved = int(told.filter(pl.col("previous_segment") != pl.col("segment"))["count"].sum())
    axes.set(xlim=(-0.55, 1.55), ylim=(total + gap * (len(order) + 1), -gap))
    axes.axis("off")
    axes.set_title(
        f"{heading(strategy)} segments: from the last published day (left) to {as_of} (right)\n"
        f"{moved:,} of {total:,} customers moved (strong bands), {total - moved - untold:,} stayed (pale)"
        + (f"\nof {untold:,} it is not told, for few took one of their ways (grey)" if untold else ""),
        fontsize=11,
    )
    return figure


def segment_map(profiles: pl.DataFrame, *, strategy: str, currency: str) -> "Figure":
    """Segments by how often and for how much their typical customer buys; the area is the number of customers."""
    known = profiles.filter(pl.col("strategy") == strategy).sort("customer_count", descending=True)
    figure, (axes,) = new_figure(7.4, 5.4)
    largest = max(1, int(str(known["customer_count"].max() or 1)))
    for place, row in enumerate(known.iter_rows(named=True)):
        x, y = row["median_frequency_count"] or 0, row["median_order_amount"] or 0
        area = 60 + 2400 * row["customer_count"] / largest
        axes.scatter(x, y, s=area, color=PALETTE[place % len(PALETTE)], alpha=0.55)
        share = 100 * (row["revenue_share"] or 0)
        said = f"{row['segment'].replace('_', ' ')}\n{row['customer_count']:,} customers, {share:.0f} % of revenue"
        axes.annotate(said, (x, y), ha="center", va="center", fontsize=8.5)
    axes.margins(0.28)
    axes.set_xlabel("Purchases of the typical customer (median)")
    axes.set_ylabel(f"Order of the typical customer (median, {currency})")
    axes.set_title(f"{heading(strategy)} segments\n(area: number of customers)", fontsize=11)
    axes.grid(color=GRID_COLOUR, linewidth=0.5, alpha=0.6)
    return figure


def purchase_times(times: pl.DataFrame) -> "Figure":
    """Purchases of an average day by weekday and hour, from rows of `rpt_purchase_times` that have an hour."""
    grid = [[0.0] * 24 for _ in WEEKDAYS]
    for row in times.iter_rows(named=True):
        grid[row["weekday_number"] - 1][row["hour_of_day"]] = float(row["transactions_per_day"])
    figure, (axes,) = new_figure(10.4, 3.9)
    image = axes.imshow(grid, cmap="Blues", aspect="auto", vmin=0)
    axes.set_xticks(range(24), [str(hour) for hour in range(24)])
    axes.set_yticks(range(7), WEEKDAYS)
    axes.set_xlabel("Hour of the day, on the clock of the source's time zone")
    axes.set_title("When people buy (transactions in the hour, average day)", fontsize=11)
    figure.colorbar(image, ax=axes, label="Transactions in the hour", shrink=0.9)
    return figure


def _side(segment: str, column: str) -> str:
    """What stands beside a segment; merged ways come from several."""
    return "not told apart" if (segment, column) == (MERGED, "previous_segment") else segment.replace("_", " ")


def _numbers(axes: "Axes", grid: Sequence[Sequence[float]], text: str) -> None:
    top = max((value for line in grid for value in line if not isnan(value)), default=0.0)
    for row, line in enumerate(grid):
        for column, value in enumerate(line):
            if not isnan(value):
                colour = "white" if value > 0.6 * top else "#222222"
                axes.text(column, row, text.format(value), ha="center", va="center", color=colour, fontsize=8)


def _tops(flows: pl.DataFrame, column: str, order: Sequence[str], gap: float) -> dict[str, float]:
    counts = dict(flows.group_by(column).agg(pl.col("count").sum()).iter_rows())
    tops, top = {}, 0.0
    for segment in order:
        if segment in counts:
            tops[segment] = top
            top += counts[segment] + gap
    return tops


def _band(axes: "Axes", left: float, right: float, count: float, *, colour: str, alpha: float) -> None:
    import numpy as np

    x = np.linspace(0, 1, 40)
    upper = left + (right - left) * (3 * x**2 - 2 * x**3)
    axes.fill_between(x, upper, upper + count, color=colour, alpha=alpha, linewidth=0)
