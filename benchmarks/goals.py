"""What each stage is compared with, and the goals that the figures are held against."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.results import Results

BARE = ("floor.clean", "floor.aggregate", "floor.features", "floor.predict", "floor.copy")
SCORING = ("stage.customer_features", "stage.churn_scores", "stage.clv_predictions", "stage.customer_segments")
TRAINING = ("ml__churn_model", "ml__clv_model")
CLUSTERING = ("ml__segment_definitions",)


@dataclass(frozen=True)
class Pair:
    """A piece of work of ours beside the least that it takes."""

    name: str
    ours: tuple[str, ...]
    floor: tuple[str, ...] = ()
    floor_name: str = ""


PAIRS = (
    Pair("receive the files", ("stage.ingest",)),
    Pair("clean lines", ("stage.clean",), ("floor.clean",), "bare DuckDB"),
    Pair("transactions, customers, days", ("stage.aggregate",), ("floor.aggregate",), "bare DuckDB"),
    Pair("de-duplication over plain cleaning", ("floor.clean",), ("floor.clean_plain",), "bare DuckDB, plain"),
    Pair("features of one day", ("stage.customer_features",), ("floor.features",), "bare Polars"),
    Pair("six as-of dates", ("stage.six_days",), ("stage.one_day",), "one date, ours"),
    Pair("BG/NBD fit", ("stage.purchase_model",), ("floor.lifetimes",), "lifetimes"),
    Pair("BG/NBD fit, warm start", ("stage.purchase_model",), ("floor.lifetimes_warm",), "lifetimes, warm"),
    Pair("churn, value and segments", SCORING[1:], ("floor.predict",), "scikit-learn's predict"),
    Pair("reasons", ("stage.churn_reasons",)),
    Pair("publish", ("stage.publish",), ("floor.copy",), "copying the bytes"),
    Pair("whole first run", ("run.first",), BARE, "bare scripts together"),
    Pair("one more day", ("run.next_day",), ("run.first",), "first run"),
    Pair("a day without data", ("run.nothing_new",), ("run.first",), "first run"),
)


@dataclass(frozen=True)
class Goal:
    """A line of the goals: what is measured (none where it was not), in which unit, and the bound on it."""

    work: str
    goal: str
    measured: Callable[[Results], float | None]
    unit: str
    bound: float
    is_least: bool = False

    def ratio(self, value: float) -> float:
        """How far: 1 is the goal, more is missed."""
        return self.bound / value if self.is_least else value / self.bound


def per(ours: tuple[str, ...], floor: tuple[str, ...]) -> Callable[[Results], float | None]:
    """CPU seconds of ours per CPU second of the floor."""

    def found(results: Results) -> float | None:
        above, below = results.seconds(*ours), results.seconds(*floor)
        return above / below if above is not None and below else None

    return found


def served(results: Results) -> float | None:
    """CPU seconds of the first run without start-up, training and clustering, per CPU second of the bare scripts."""
    whole, bare, start = results.seconds("run.first"), results.seconds(*BARE), start_up(results)
    if whole is None or not bare or start is None:
        return None
    apart = sum(steps(results, kind) or 0.0 for kind in (TRAINING, CLUSTERING))
    return (whole - start - apart) / bare


def start_up(results: Results) -> float | None:
    """CPU seconds of imports, of the code location and of starting dbt twice."""
    code, dbt = results.measured.get("stage.start"), results.seconds("stage.start_dbt")
    return None if code is None or dbt is None else float(code["cpu"]) + 2 * dbt


def steps(results: Results, names: tuple[str, ...], unit: str = "cpu") -> float | None:
    """Seconds of some steps of the first run."""
    found = results.told("run.first").get("steps", {})
    return sum(found[name][unit] for name in names) if set(names) <= set(found) else None


def peak(results: Results) -> float | None:
    """GiB of the largest process of any run of the pipeline."""
    found = [one["peak_process"] for name, one in results.measured.items() if name.startswith("run.")]
    return max(found, default=None)


def per_minute(results: Results) -> float | None:
    """Million customers for each minute of CPU, features included, for all three families together."""
    seconds = results.seconds(*SCORING)
    return float(results.told(SCORING[0])["rows"]) / 1e6 / seconds * 60 if seconds else None


def reasons(results: Results) -> float | None:
    """CPU seconds of the reasons of so many scored customers, for a million of them."""
    seconds, rows = results.seconds("stage.churn_reasons"), results.told("stage.churn_scores").get("rows")
    return seconds / rows * 1e6 if seconds is not None and rows else None


GOALS = (
    Goal("first run without start-up, training, clustering", "2 times the bare scripts' CPU", served, "times", 2),
    Goal("peak memory of any process", "3 GiB", peak, "GiB", 3),
    Goal("training", "10 minutes", lambda r: steps(r, TRAINING, "wall"), "s", 600),
    Goal("clustering", "5 minutes", lambda r: steps(r, CLUSTERING, "wall"), "s", 300),
    Goal("one more day", "a fifth of the first run", per(("run.next_day",), ("run.first",)), "times", 0.2),
    Goal("a day without data", "a tenth of the first run", per(("run.nothing_new",), ("run.first",)), "times", 0.1),
    Goal(
        "features at one as-of date",
        "1.5 times bare Polars",
        per(("stage.customer_features",), ("floor.features",)),
        "times",
        1.5,
    ),
    Goal("scoring, features included", "1 M customers a minute", per_minute, "M a CPU minute", 1, is_least=True),
    Goal(
        "BG/NBD fit, cold",
        "25 times faster than lifetimes",
        per(("floor.lifetimes",), ("stage.purchase_model",)),
        "times",
        25,
        is_least=True,
    ),
    Goal(
        "BG/NBD fit, warm",
        "50 times faster than lifetimes",
        per(("floor.lifetimes_warm",), ("stage.purchase_model",)),
        "times",
        50,
        is_least=True,
    ),
    Goal("publish", "twice copying the bytes", per(("stage.publish",), ("floor.copy",)), "times", 2),
    Goal("six as-of dates", "4 times one", per(("stage.six_days",), ("stage.one_day",)), "times", 4),
    Goal(
        "de-duplication (bare)",
        "as much again as plain cleaning",
        per(("floor.clean",), ("floor.clean_plain",)),
        "times",
        2,
    ),
    Goal("cleaning, ours", "2 times bare cleaning", per(("stage.clean",), ("floor.clean",)), "times", 2),
    Goal("reasons of 1 M customers", "60 CPU seconds", reasons, "s", 60),
)
