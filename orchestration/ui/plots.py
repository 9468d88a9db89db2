"""Pictures of models for the Dagster UI: each with a title, units and a legend that a manager can read.

What is drawn is computed in `ml`; matplotlib is imported when a picture is made, not before. Pictures of segments and
purchases are in `report_plots`.
"""

from datetime import date
from typing import TYPE_CHECKING, Any, Final

import polars as pl

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODEL_COLOUR, GRID_COLOUR = "#2f5bd8", "#c8c8c8"
RULE_STYLES: Final[list[dict[str, Any]]] = [
    {"color": "#555555", "marker": marker, "linestyle": line, "linewidth": 1, "markersize": 5}
    for marker, line in (("s", "-"), ("^", "--"), ("v", ":"), ("D", "-."))
]

RANK_NAMES: Final = {"auc": "AUC", "normalised_gini": "Normalised Gini"}
RANKED: Final = {"churn": "churn probabilities", "clv": "expected amounts"}


def calibration(points: pl.DataFrame, *, served: str, cutoff: date, horizon_days: int) -> "Figure":
    """Predicted against observed churn by tenths of customers: the serving candidate in colour, the others in grey."""
    figure, (axes,) = new_figure(6.2, 5.2)
    top = 105 * float(points.select(pl.max_horizontal("predicted", "observed").max()).item())
    axes.plot([0, top], [0, top], color=GRID_COLOUR, label="perfectly calibrated", linewidth=1)
    candidates = points["candidate"].unique(maintain_order=True).to_list()
    for name, style in zip(candidates, RULE_STYLES, strict=False):
        tenths = points.filter(pl.col("candidate") == name)
        look = {"color": MODEL_COLOUR, "marker": "o", "zorder": 3} if name == served else style
        label = name.replace("_", " ") + (" (serves)" if name == served else "")
        axes.plot(tenths["predicted"] * 100, tenths["observed"] * 100, label=label, **look)
    axes.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    axes.set_xlabel(f"Predicted: no purchase in {horizon_days} days (%)")
    axes.set_ylabel("Observed (%)")
    axes.set_title(f"Churn calibration, customers of {cutoff}\n(tenths by predicted probability)", fontsize=11)
    axes.legend(frameon=False, fontsize=9)
    return figure


def outcomes(grades: pl.DataFrame) -> "Figure":
    """How well published scores ranked customers, by the day of the scores: one panel per model and horizon.

    `grades` has model, horizon_days, metric, scored_as_of_date, value, tested (what the version's test had found) and
    is_backfilled; back-filled scores were not published at the time, and are drawn hollow.
    """
    panels = grades.partition_by("model", "horizon_days", maintain_order=True)
    figure, all_axes = new_figure(8.4, 3.1 * len(panels) + 0.4, rows=len(panels))
    for axes, panel in zip(all_axes, panels, strict=True):
        model, horizon, metric = panel.select("model", "horizon_days", "metric").row(0)
        told = panel.sort("scored_as_of_date")
        axes.plot(told["scored_as_of_date"], told["tested"], label="found in its test", **RULE_STYLES[1])
        for is_backfilled, label, look in (
            (False, "published scores, graded", {"linestyle": "-", "zorder": 3}),
            (True, "back-filled scores, graded", {"linestyle": "none", "markerfacecolor": "white"}),
        ):
            some = told.filter(pl.col("is_backfilled") == is_backfilled)
            if some.height:
                axes.plot(some["scored_as_of_date"], some["value"], label=label, color=MODEL_COLOUR, marker="o", **look)
        axes.set_title(f"{RANK_NAMES[metric]} of {RANKED[model]} over {horizon} days", fontsize=11)
        axes.set_ylabel(f"{RANK_NAMES[metric]} (1: perfect order)")
        axes.tick_params(axis="x", labelrotation=20)
        axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.01, 1))
    all_axes[-1].set_xlabel("Day of the scores")
    return figure


def new_figure(width: float, height: float, *, rows: int = 1) -> tuple["Figure", list["Axes"]]:
    """A figure and its axes, one below the other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    axes: list[Axes] = [figure.add_subplot(rows, 1, row + 1) for row in range(rows)]
    for one in axes:
        for side in ("top", "right"):
            one.spines[side].set_visible(False)
    return figure, axes
