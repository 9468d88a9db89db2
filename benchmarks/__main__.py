"""`python -m benchmarks SIZE`: a shop of that size, the pipeline on it, every stage alone, and the floors beside them.

Each in a process of its own, one after the other. `--only runs stages floors` does a part; what was measured before
stays. The figures of all sizes so far are printed and written to docs/scale.md, with the plot beside it.
"""

import argparse
import shutil
from pathlib import Path

from benchmarks import report
from benchmarks.process import FailedError, Measured, measure, median, python
from benchmarks.results import Results, load
from benchmarks.sizes import SIZES

PLACE = Path(__file__).parent.parent / ".benchmarks"
PARTS = ("runs", "floors", "stages")
FLOORS = ("clean_plain", "clean", "aggregate", "features", "predict", "lifetimes", "lifetimes_warm")
STAGES = (
    *("start", "start_dbt", "ingest", "clean", "aggregate", "customer_features", "churn_scores", "churn_reasons"),
    *("clv_predictions", "customer_segments", "one_day", "six_days", "publish"),
)
REPEATS, LARGEST_FOR_REPEATS = 3, 100_000  # short stages vary by a third between two readings
LARGEST_FOR_LIFETIMES = 1_000_000  # customers; beyond, it wants hours and all memory


class Bench:
    """One size: where its shop, the pipeline's data and the bare scripts' files lie, and what was measured so far."""

    def __init__(self, size: str, place: Path) -> None:
        self.shop, self.data, self.bare = place / size, place / f"{size}.data", place / f"{size}.bare"
        self.logs = place / f"{size}.logs"
        known, is_new = load(size), not (self.shop / "shop.yml").exists()
        if known is None or is_new:
            if is_new:
                shutil.rmtree(self.shop, ignore_errors=True)
            made = measure(python("benchmarks.generate", size, self.shop), log=self.logs / "generate.log")
            known = Results(size, SIZES[size], int(made.told["lines"]))
        self.results = known
        if is_new:
            self.keep("generate", made)

    def keep(self, name: str, taken: Measured) -> None:
        """Write a measurement down and show it."""
        self.results.add(name, taken)
        print(f"{name:<28}{taken.cpu:>10.1f} CPU s{taken.wall:>10.1f} s{taken.peak_process:>8.2f} GiB", flush=True)

    def measure(self, kind: str, name: str, *words: Path) -> None:
        """Measure one stage, floor or run."""
        module = {"floor": "benchmarks.floors", "stage": "benchmarks.stages", "run": "benchmarks.whole_run"}[kind]
        command = python(module, *([] if kind == "run" else [name]), *words)
        log = self.logs / f"{kind}.{name}.log"
        times = 1 if kind == "run" or self.results.customers > LARGEST_FOR_REPEATS else REPEATS
        try:
            self.keep(f"{kind}.{name}", median([measure(command, log=log) for _ in range(times)]))
        except FailedError as error:
            print(f"{kind}.{name} failed: {error}", flush=True)

    def first_runs(self) -> None:
        """From nothing, and again with nothing new."""
        shutil.rmtree(self.data, ignore_errors=True)
        for name in ("first", "nothing_new"):
            self.measure("run", name, self.shop, self.data)

    def next_day(self) -> None:
        """With the files of one more day, which go back afterwards: what was received stays."""
        new = [Path(shutil.copy(file, self.shop / "deliveries")) for file in (self.shop / "next_day").iterdir()]
        try:
            self.measure("run", "next_day", self.shop, self.data)
        finally:
            for file in new:
                file.unlink()

    def floors(self) -> None:
        """The bare scripts, in their order: each reads what the one before it wrote."""
        for name in FLOORS:
            if "lifetimes" not in name or self.results.customers <= LARGEST_FOR_LIFETIMES:
                self.measure("floor", name, self.shop, self.bare)
        self.measure("stage", "purchase_model", self.shop, self.bare)

    def stages(self) -> None:
        """Every stage of ours on what the runs left behind."""
        for name in STAGES:
            self.measure("stage", name, self.shop, self.data)
        self.measure("floor", "copy", self.shop, (self.data / "published" / "current").resolve())


def main() -> None:
    """Measure one size and report all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("size", nargs="?", default="5k", choices=SIZES)
    parser.add_argument("--place", type=Path, default=PLACE, help="folder for shops and data: 1 GB per 100 k customers")
    parser.add_argument("--only", nargs="*", default=PARTS, choices=PARTS, help="parts to measure; none: only report")
    asked = parser.parse_args()
    if asked.only:
        bench = Bench(asked.size, asked.place.absolute())
        if "runs" in asked.only:
            bench.measure("stage", "start", bench.shop, bench.data)  # parses the dbt project, once for all runs
            bench.first_runs()
        if "floors" in asked.only:
            bench.floors()
        if "stages" in asked.only:
            bench.stages()
        if "runs" in asked.only:
            bench.next_day()
    report.write()


if __name__ == "__main__":
    main()
