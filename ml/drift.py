"""How far scores and features have moved: two indices of two samples, and what a training remembers to compare with.

Whether scores were right is graded in `ml.outcomes`; which days are compared does not belong here.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.schemas import CUSTOMER_FEATURES, WINDOWS_DAYS

Array = npt.NDArray[np.float64]
Points = Sequence[float | None]
"""A sample as POINTS of its quantiles, ascending, each for an equal share of the customers; None: without a value."""

BINS: Final = 10
POINTS: Final = 100
DIGITS: Final = 6  # of points and of what is compared with them, so that equal values stay equal

AGEING: Final = frozenset({"frequency_count", "monetary_amount", "value_amount", "tenure_days", "purchase_day_count"})
"""Features that grow with every day that passes: they have always moved, and say nothing by it.

What is left are windows, recency, shares, averages and gaps, which stand still where customers behave as before.
"""


def population_stability_index(first: Array, now: Array) -> float:
    """The population stability index of two samples of one score, over tenths of the first (Siddiqi 2006, ch. 8).

    0: the same distribution; customarily, above 0.1 worth a look and above 0.25 another population. Half a score is
    added to every bin, so that an empty one does not make it infinite; NaN where a sample has none.
    """
    if not len(first) or not len(now):
        return float("nan")
    edges: Array = np.unique(np.quantile(first, np.linspace(0, 1, BINS + 1)[1:-1])).astype(np.float64)
    then_share, now_share = (_shares(sample, edges) for sample in (first, now))
    return float(((now_share - then_share) * np.log(now_share / then_share)).sum())


def _shares(sample: Array, edges: Array) -> Array:
    counts = np.bincount(np.searchsorted(edges, sample, side="right"), minlength=len(edges) + 1)
    return np.asarray((counts + 0.5) / (len(sample) + 0.5 * (len(edges) + 1)), dtype=np.float64)


def kolmogorov_smirnov(first: Array, now: Array) -> float:
    """The two-sample Kolmogorov-Smirnov statistic: the largest gap between the shares at or below any value.

    0: the same distribution; 1: no overlap; NaN where a sample is empty.
    """
    if not len(first) or not len(now):
        return float("nan")
    values = np.concatenate([first, now])
    below = [np.searchsorted(np.sort(sample), values, side="right") / len(sample) for sample in (first, now)]
    return float(np.abs(below[0] - below[1]).max())


def points(sample: pl.Series) -> list[float | None]:
    """A sample as Points, small enough to keep; none of fewer customers than points, who would be told apart.

    Each is the middle of its hundredth, so that the extremes, which belong to one customer, are not kept.
    """
    ordered = _numbers(sample).sort(nulls_last=False)
    places = (np.arange(POINTS) + 0.5) / POINTS * len(ordered)
    return ordered.gather(places.astype(np.int64)).to_list() if len(ordered) >= POINTS else []


def moved(then: Points, now: pl.Series) -> tuple[float, float]:
    """Population stability index and Kolmogorov-Smirnov statistic of a sample today against Points.

    Who has no value counts below everybody who has one: that more customers have none is a move as well.
    """
    pair = [pl.Series(then, dtype=pl.Float64), _numbers(now)]
    known = [float(lowest) for lowest in (sample.min() for sample in pair) if isinstance(lowest, float)]
    first, today = (sample.fill_null(min(known, default=0.0) - 1).to_numpy() for sample in pair)
    return population_stability_index(first, today), kolmogorov_smirnov(first, today)


def _numbers(sample: pl.Series) -> pl.Series:
    return sample.cast(pl.Float64).fill_nan(None).round(DIGITS)


def watched(history_days: int) -> list[str]:
    """The features worth watching for a model that learned from a day so many days after the first purchase.

    A window longer than the history before that day was still filling up, and moves until it is full.
    """
    filling = {
        f"{what}_{days}_days"
        for what in ("purchase_count", "net_amount")
        for days in WINDOWS_DAYS
        if days > history_days
    }
    numeric = [name for name, kind in CUSTOMER_FEATURES.items() if pl.Series([], dtype=kind).dtype.is_numeric()]
    return [name for name in numeric if name not in AGEING | filling]


def feature_points(features: pl.DataFrame, *, first_date: date, as_of: date) -> dict[str, list[float | None]]:
    """The Points of every watched feature of CUSTOMER_FEATURES at one day."""
    kept = {name: points(features[name]) for name in watched((as_of - first_date).days)}
    return {name: found for name, found in kept.items() if found}


def feature_drift(then: Mapping[str, Points], features: pl.DataFrame) -> pl.DataFrame:
    """One row per feature: psi and ks of CUSTOMER_FEATURES today against the Points of a training."""
    rows = [
        (name, *moved(before, features[name]), features.height) for name, before in then.items() if name in features
    ]
    kinds = {"feature": pl.String, "psi": pl.Float64, "ks": pl.Float64, "customer_count": pl.Int64}
    frame = pl.DataFrame(rows, schema=kinds, orient="row")
    return frame.with_columns(pl.col("psi", "ks").fill_nan(None).round(9))
