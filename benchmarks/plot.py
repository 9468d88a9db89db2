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
    figure, axes = plt.subplots(figsize=(10, 8), layout="constrained")
    for place, pair in enumerate(pair for pair in PAIRS if pair.name in SHOWN):
        theirs = f"{pair.name}: {pair.floor_name}"
        for names, label, style, alpha in ((pair.ours, pair.name, "o-", 1.0), (pair.floor, theirs, "s--", 0.6)):
            found = [(results.lines, results.seconds(*names)) for results in sizes]
            points = [(lines, seconds) for lines, seconds in found if seconds]
            if points:
                axes.plot(*zip(*points, strict=True), style, color=f"C{place}", label=label, alpha=alpha)
    axes.set(xscale="log", yscale="log", xlabel="transaction lines received", ylabel="CPU seconds")
    axes.set_title("What a size costs: our stages (solid) and the least that the same work takes (dashed)")
    axes.grid(visible=True, which="both", alpha=0.25)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    TARGET.parent.mkdir(exist_ok=True)
    figure.savefig(TARGET, dpi=110)


if __name__ == "__main__":
    main()
