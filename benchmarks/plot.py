"""The picture of docs/scale.md: CPU seconds by lines, ours beside the bare scripts, both axes logarithmic."""

from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt

from benchmarks.goals import PAIRS
from benchmarks.results import everything

TARGET = Path(__file__).parent.parent / "docs" / "images" / "scale.png"
SHOWN = (
    "clean lines",
    "transactions, customers, days",
    "features of one day",
    "BG/NBD fit",
    "whole first run",
    "publish",
)


def main() -> None:
    """Draw and save it."""
    sizes = everything()
    figure, axes = plt.subplots(figsize=(10, 6), layout="constrained")
    for place, pair in enumerate(pair for pair in PAIRS if pair.name in SHOWN):
        for names, label, style in ((pair.ours, pair.name, "o-"), (pair.floor, pair.floor_name, "s--")):
            found = [(results.lines, results.seconds(*names)) for results in sizes]
            points = [(lines, seconds) for lines, seconds in found if seconds]
            if points:
                ours = label if style == "o-" else f"   {label}"
                axes.plot(
                    *zip(*points, strict=True), style, color=f"C{place}", label=ours, alpha=1 if ours == label else 0.6
                )
    axes.set(xscale="log", yscale="log", xlabel="transaction lines received", ylabel="CPU seconds")
    axes.set_title("What a size costs: our stages (solid) and the least that the same work takes (dashed)")
    axes.grid(visible=True, which="both", alpha=0.25)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False)
    TARGET.parent.mkdir(exist_ok=True)
    figure.savefig(TARGET, dpi=110)


if __name__ == "__main__":
    main()
