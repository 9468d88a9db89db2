"""Whether a model serves every declared group alike: rank, level and share flagged of each group beside the rest.

Which attributes are declared, and where the numbers are kept, does not belong here. Rows are of groups, never of
customers, and of no group smaller than a minimum.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from ml.evaluation import Holdouts, Outcome
from ml.metrics import Array, Metric, auc, bias, calibration_in_the_large, hit_rate, normalised_gini
from ml.schemas import MODEL_FAIRNESS, Schema, conform

MINIMUM_OUTCOMES: Final = 20  # of the rarer kind, below which a group's rank and level say nothing
MAXIMUM_GROUPS: Final = 30  # of one attribute, the largest: more are not a handful that anybody looks after
TOP_SHARE: Final = 0.1
CERTAINTY: Final = 0.95

FAIRNESS: Final[Schema] = {
    name: kind for name, kind in MODEL_FAIRNESS.items() if name not in ("model", "model_version", "horizon_days")
}
METRICS: Final[dict[str, dict[str, Metric]]] = {
    "churn": {"auc": auc, "calibration_in_the_large": calibration_in_the_large},
    "clv": {"normalised_gini": normalised_gini, "bias": bias},  # bias is a share: no limit in money fits every shop
}
FLAGGED: Final = "share_flagged"


@dataclass(frozen=True)
class Limits:
    """The difference from the rest beyond which a group is worth a warning, and the least group that is measured."""

    difference: float = 0.1
    customers: int = 100


def flagged(model: str, predicted: Array, *, flagged_from: float) -> Array:
    """1 for whom an action is taken first: a churn probability from `flagged_from` up; for CLV, the highest tenth."""
    if model == "churn":
        return (predicted >= flagged_from).astype(np.float64)
    least = np.quantile(predicted, 1 - TOP_SHARE, method="inverted_cdf") if len(predicted) else 0.0
    return (predicted > least).astype(np.float64)


def grade_groups(
    model: str, tested: pl.DataFrame, groups: pl.DataFrame, *, seed: int, flagged_from: float, limits: Limits
) -> pl.DataFrame:
    """FAIRNESS: attribute x group x metric, with the difference from everybody else of a declared group.

    `tested` is TESTED (see `ml.evaluation`), `groups` a customer_id and a text column for each attribute; who has no
    value in it is neither in a group nor in the rest. The interval of a value is its 95 % bootstrap interval; that of a
    difference is widened by the number of groups (Bonferroni), so that chance warns no more often among thirty groups
    than among two. A warning is a difference beyond the limit whose interval excludes zero.
    """
    mark = pl.Series(FLAGGED, flagged(model, tested["predicted"].to_numpy(), flagged_from=flagged_from))
    marked = tested.with_columns(mark).join(groups, on="customer_id").sort("customer_id")
    rows = [
        {"attribute": attribute, **row}
        for attribute in groups.columns
        if attribute != "customer_id"
        for row in _attribute_rows(model, marked.rename({attribute: "group_name"}), seed=seed, limits=limits)
    ]
    measured = pl.DataFrame(rows, schema=FAIRNESS, orient="row")
    return conform(measured.with_columns(pl.col(pl.Float64).fill_nan(None).round(9)), FAIRNESS)


def warnings(model: str, measured: pl.DataFrame, *, limits: Limits) -> list[str]:
    """One sentence for each attribute and metric in which some group differs, naming those that do."""
    beyond = measured.filter("is_warning")
    sentences = []
    for (attribute, metric), rows in beyond.group_by("attribute", "metric", maintain_order=True):
        who = ", ".join(
            f"{row['group_name']} ({row['value']:.3g}, {row['difference']:+.3g})" for row in rows.iter_rows(named=True)
        )
        said = f"{str(metric).replace('_', ' ')} differs by more than {limits.difference:g} from the rest"
        sentences.append(f"{model} by {str(attribute).replace('_', ' ')}: {said} for {who}.")
    return sentences


def _attribute_rows(model: str, marked: pl.DataFrame, *, seed: int, limits: Limits) -> Iterator[dict[str, Any]]:
    declared = marked.filter(pl.col("group_name").is_not_null())
    sizes = declared.group_by("group_name").len().filter(pl.col("len") >= limits.customers)
    names = sorted(sizes.sort("len", "group_name", descending=[True, False])["group_name"].head(MAXIMUM_GROUPS))
    reach = float(ndtri(1 - (1 - CERTAINTY) / 2 / max(1, len(names))))
    everybody = _intervals(declared, model, seed=seed) if names else {}
    for name in names:
        mine = declared.filter(pl.col("group_name") == name)
        others = declared.filter(pl.col("group_name") != name)
        rest = _values(others, model) if others.height >= limits.customers else {}
        for metric, found in _intervals(mine, model, seed=seed).items():
            difference = found.value - rest.get(metric, np.nan)
            width = np.nan
            if metric in rest:
                width = reach * _error(found, everybody[metric], declared.height, mine.height)
            yield {
                "group_name": name,
                "metric": metric,
                "value": found.value,
                "lower": found.lower,
                "upper": found.upper,
                "difference": difference,
                "difference_lower": difference - width,
                "difference_upper": difference + width,
                "is_warning": bool(abs(difference) > limits.difference and abs(difference) > width),
                "customer_count": mine.height,
            }


@dataclass(frozen=True)
class _Found:
    value: float
    lower: float
    upper: float
    error: float


def _error(found: _Found, everybody: _Found, count: int, mine: int) -> float:
    """Standard error of a group's difference from the rest, who vary as everybody does.

    A small group that did well by chance seems surer than it is: its own error is at least everybody's at its size.
    """
    own, other = (everybody.error * float(np.sqrt(count / some)) for some in (mine, count - mine))
    return float(np.hypot(max(found.error, own), other))


def _metrics(marked: pl.DataFrame, model: str) -> dict[str, tuple[Metric, Array]]:
    """What is measured, and on which outcomes: rank and level only where there are enough of either kind."""
    actual = marked["actual"].to_numpy()
    positive = int((actual > 0).sum())
    rarer = min(positive, len(actual) - positive) if model == "churn" else positive
    graded = METRICS[model] if rarer >= MINIMUM_OUTCOMES else {}
    return {FLAGGED: (hit_rate, marked[FLAGGED].to_numpy())} | {name: (one, actual) for name, one in graded.items()}


def _values(marked: pl.DataFrame, model: str) -> dict[str, float]:
    predicted = marked["predicted"].to_numpy()
    return {name: metric(actual, predicted) for name, (metric, actual) in _metrics(marked, model).items()}


def _intervals(marked: pl.DataFrame, model: str, *, seed: int) -> dict[str, _Found]:
    predicted = marked["predicted"].to_numpy()
    holdouts = Holdouts([Outcome(date.min, marked["customer_id"], marked["actual"].to_numpy())], seed=seed)
    found = {}
    for name, (metric, actual) in _metrics(marked, model).items():
        measured = holdouts.measure(metric, [predicted], actuals=[actual])
        spread = np.ma.masked_invalid(measured.replicates[0]).std()  # masked, and NaN below, where nothing is defined
        found[name] = _Found(*measured.mean, float(np.ma.filled(spread, np.nan)) * measured.scale)
    return found
