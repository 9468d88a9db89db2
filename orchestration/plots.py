"""Pictures for the Dagster UI: each with a title, units and a legend that a manager can read.

What is drawn is computed in `ml`; matplotlib is imported when a picture is made, not before.
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


def calibration(points: pl.DataFrame, *, served: str, cutoff: date, horizon_days: int) -> "Figure":
    """Predicted against observed churn by tenths of customers: the serving candidate in colour, the others in grey."""
    figure, axes = _figure(6.2, 5.2)
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


def rfm_heat_map(cells: pl.DataFrame, *, as_of: date, currency: str) -> "Figure":
    """Customers by recency and frequency score, with their average net amount."""
    figure, axes = _figure(6.6, 5.2)
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


def _figure(width: float, height: float) -> tuple["Figure", "Axes"]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes
