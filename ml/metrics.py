"""How good a prediction was: metrics of rank and of level, each on weighted customers.

Every metric takes `(actual, predicted)`, one number a customer, and is a number; with `weights` of shape (replicates,
customers) it is one number a replicate, which is what a bootstrap needs. Ties count as their average, so that the
order of rows never matters; customers in order of prediction are quickest. What is undefined is NaN. Whose predictions,
and on which day, belongs to `evaluation`.
"""

from collections.abc import Callable
from functools import wraps
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ml.logistic_line import fit_logistic_line, log_odds

Array = npt.NDArray[np.float64]
Metric = Callable[..., Any]
"""(actual, predicted) to a float, or with weights (replicates, customers) to an array of shape (replicates,)."""

BINS: Final = 10


def weighted(metric: Callable[[Array, Array, Array], Array]) -> Metric:
    """The metric with weights left to choose; of nobody it is NaN."""

    @wraps(metric)
    def measured(actual: Array, predicted: Array, weights: Array | None = None) -> float | Array:
        given = np.ones((1, len(actual))) if weights is None else weights
        with np.errstate(divide="ignore", invalid="ignore"):
            found = metric(actual, predicted, given) if len(actual) else np.full(len(given), np.nan)
        return float(found[0]) if weights is None else found

    return measured


class _Groups(NamedTuple):
    """Customers of equal prediction taken together, in order: each group's weight, and that of its outcomes."""

    weight: Array
    outcome: Array
    of_row: npt.NDArray[np.int64]

    @property
    def middle(self) -> Array:
        """How much weight lies below the middle of each group."""
        return np.asarray(self.weight.cumsum(axis=1) - self.weight / 2)


def _grouped(key: Array, actual: Array, weights: Array) -> _Groups:
    order = _order(key)
    starts = np.flatnonzero(np.diff(key[order], prepend=np.nan) != 0)
    of_row = np.empty(len(key), dtype=np.int64)
    of_row[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(key)))
    weight, outcome = _in_order(weights, order), actual[order]
    if ((outcome == 0) | (outcome == 1)).all():
        outcome = outcome.astype(weights.dtype)  # exact, and half the bytes of single-precision weights
    held = weight * outcome
    if len(starts) < len(key):
        weight, held = (_summed(part, starts) for part in (weight, held))
    return _Groups(weight, held, of_row)


def _summed(parts: Array, starts: npt.NDArray[np.int64]) -> Array:
    """Sums from each start to the next; most hold one customer alone, who is copied, for each sum has its price."""
    found, ends = parts.take(starts, axis=1), np.append(starts[1:], parts.shape[1])
    shared = np.flatnonzero(ends - starts > 1)
    edges = np.stack([starts[shared], ends[shared]], axis=1).ravel()
    if len(edges) and edges[-1] == parts.shape[1]:
        edges = edges[:-1]
    found[:, shared] = np.add.reduceat(parts, edges, axis=1)[:, ::2]
    return found


def _order(key: Array) -> Any:
    """Where customers stand by key: as a slice, which copies nothing, if they come in order or in reverse."""
    steps = np.diff(key)
    if (steps >= 0).all():
        return slice(None)
    return slice(None, None, -1) if (steps <= 0).all() else np.argsort(key, kind="stable")


def _in_order(weights: Array, order: Any) -> Array:
    found: Array = weights[:, order] if isinstance(order, slice) else weights.take(order, axis=1)
    return found


@weighted
def auc(actual: Array, predicted: Array, weights: Array) -> Array:
    """Probability that a random positive ranks above a random negative (Mann-Whitney)."""
    groups = _grouped(predicted, actual, weights)
    positive = groups.outcome.sum(axis=1, dtype=np.float64)
    below = _products(groups.outcome, groups.middle) - positive**2 / 2  # less the positives among them
    found: Array = below / (positive * (groups.weight.sum(axis=1, dtype=np.float64) - positive))
    return found


@weighted
def average_precision(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean precision over the positives, from the riskiest customer down; equal scores enter together."""
    groups = _grouped(-predicted, actual, weights)
    found, seen = groups.outcome.cumsum(axis=1), groups.weight.cumsum(axis=1)
    precision = np.divide(found, seen, out=np.zeros(found.shape), where=seen > 0, dtype=np.float64)
    value = _products(groups.outcome, precision) / found[:, -1]
    return np.where(found[:, -1] < seen[:, -1], value, np.nan)


@weighted
def brier(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean squared error of a probability; lower is better."""
    return weighted_mean((predicted - actual) ** 2, weights)


@weighted
def brier_skill(actual: Array, predicted: Array, weights: Array) -> Array:
    """Share of the test set's own base-rate Brier score that the prediction removes."""
    rate = weighted_mean(actual, weights)
    reference = rate * (1 - rate)
    return np.where(reference > 0, 1 - weighted_mean((predicted - actual) ** 2, weights) / reference, np.nan)


@weighted
def calibration_intercept(actual: Array, predicted: Array, weights: Array) -> Array:
    """Intercept of the outcome regressed on predicted log-odds (Cox 1958); 0 is perfect."""
    return fit_logistic_line(log_odds(predicted), actual, weights)[0]


@weighted
def calibration_slope(actual: Array, predicted: Array, weights: Array) -> Array:
    """Slope of the outcome regressed on predicted log-odds (Cox 1958); below 1 is over-confident."""
    return fit_logistic_line(log_odds(predicted), actual, weights)[1]


@weighted
def expected_calibration_error(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean absolute difference of predicted and observed rate over tenths of customers by prediction."""
    found: Array = _binned_error(actual, predicted, weights) / weights.sum(axis=1)
    return found


@weighted
def decile_error(actual: Array, predicted: Array, weights: Array) -> Array:
    """Absolute errors of the totals of tenths of customers by prediction, as a share of the actual total."""
    total = weights @ actual
    return np.where(total > 0, _binned_error(actual, predicted, weights) / total, np.nan)


def _binned_error(actual: Array, predicted: Array, weights: Array) -> Array:
    order = _order(predicted)
    ordered, errors, weight = predicted[order], (predicted - actual)[order], _in_order(weights, order)
    edges = ordered[np.arange(1, BINS) * len(ordered) // BINS]
    ends = [*np.unique(np.append(0, np.searchsorted(ordered, edges))), len(ordered)]
    binned = [np.abs(weight[:, first:end] @ errors[first:end]) for first, end in pairwise(ends)]
    return np.asarray(np.sum(binned, axis=0))


def _captured(actual: Array, predicted: Array, weights: Array, share: float) -> Array:
    groups = _grouped(-predicted, actual, weights)
    seen, total = groups.weight.cumsum(axis=1), groups.outcome.sum(axis=1, dtype=np.float64)
    wanted = share * seen[:, -1:].astype(np.float64)
    last = 1 + int((seen < wanted).sum(axis=1).max())  # beyond, nobody belongs to anybody's share
    weight, outcome = groups.weight[:, :last], groups.outcome[:, :last]
    room = np.clip(wanted - (seen[:, :last] - weight), 0, weight)
    part = np.divide(room, weight, out=np.zeros_like(room), where=weight > 0)
    return np.where(total > 0, _products(part, outcome) / total, np.nan)


@weighted
def top_decile_capture(actual: Array, predicted: Array, weights: Array) -> Array:
    """Share of the actual total held by the tenth of customers predicted highest."""
    return _captured(actual, predicted, weights, 0.1)


def lift_at(share: float) -> Metric:
    """How many times the base rate the customers predicted highest hold, of whom there is such a share of all."""

    def lift(actual: Array, predicted: Array, weights: Array) -> Array:
        both = (weights @ actual > 0) & (weights @ (1 - actual) > 0)
        return np.where(both, _captured(actual, predicted, weights, share) / share, np.nan)

    lift.__doc__ = f"How many times the base rate the riskiest {share:.0%} hold; undefined with one class only."
    return weighted(lift)


lift_at_5_percent, lift_at_10_percent, lift_at_20_percent = map(lift_at, (0.05, 0.1, 0.2))


@weighted
def calibration_in_the_large(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean predicted less mean observed, in units of the outcome; above 0 too much was predicted."""
    return weighted_mean(predicted - actual, weights)


@weighted
def bias(actual: Array, predicted: Array, weights: Array) -> Array:
    """Predicted total over actual total, less 1; undefined where the actual total is not positive."""
    total = weights @ actual
    return np.where(total > 0, (weights @ predicted) / total - 1, np.nan)


@weighted
def mean_absolute_error(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean absolute error, in units of the outcome; favours under-prediction where most buy nothing."""
    return weighted_mean(np.abs(predicted - actual), weights)


@weighted
def root_mean_squared_error(actual: Array, predicted: Array, weights: Array) -> Array:
    """Root of the mean squared error, in units of the outcome; the mean minimises it."""
    return np.sqrt(weighted_mean((predicted - actual) ** 2, weights))


@weighted
def spearman(actual: Array, predicted: Array, weights: Array) -> Array:
    """Spearman's rank correlation."""
    first, second = (_centred_ranks(values, weights) for values in (actual, predicted))
    weighed = weights * first
    both, own = _products(weighed, second), _products(weighed, first) * _products(weights * second, second)
    return np.asarray(both / np.sqrt(own))


def _centred_ranks(values: Array, weights: Array) -> Array:
    groups = _grouped(values, np.ones(len(values)), weights)
    middle = groups.middle - weights.sum(axis=1, keepdims=True, dtype=np.float64) / 2
    if (groups.of_row[1:] > groups.of_row[:-1]).all():
        return np.asarray(middle)
    return np.asarray(middle.take(groups.of_row, axis=1))


@weighted
def normalised_gini(actual: Array, predicted: Array, weights: Array) -> Array:
    """Gini of the outcome in predicted order over that in perfect order, each as covariance with rank."""
    half = weights.sum(axis=1, keepdims=True) / 2
    found, best = (
        _products(groups.middle - half, groups.outcome)
        for groups in (_grouped(key, actual, weights) for key in (predicted, actual))
    )
    return np.where(best > 0, found / best, np.nan)


@weighted
def hit_rate(actual: Array, predicted: Array, weights: Array) -> Array:  # noqa: ARG001 - the shape of every metric
    """Mean of a yes-or-no outcome, such as "the interval held the truth"; the prediction is not used."""
    return weighted_mean(actual, weights)


@weighted
def macro_f1(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean of the F1 scores of either class; `predicted` is 0 or 1. A class that is neither there nor told counts 1."""
    both = weights @ (actual * predicted)
    seen, told, everyone = weights @ actual, weights @ predicted, weights.sum(axis=1)
    neither = everyone - seen - told + both
    scores = [
        np.where(whole > 0, 2 * right / whole, 1.0)
        for right, whole in ((both, seen + told), (neither, 2 * everyone - seen - told))
    ]
    return np.asarray(np.mean(scores, axis=0))


def _products(first: Array, second: Array) -> Array:
    """Sums over customers of products, one a replicate, in double precision."""
    found: Array = np.einsum("rc,rc->r", first, second, dtype=np.float64)
    return found


def weighted_mean(values: Array, weights: Array) -> Array:
    """Mean of a number a customer, one a replicate."""
    return np.asarray((weights @ values) / weights.sum(axis=1))


CHURN_METRICS: Final[dict[str, Metric]] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier": brier,
    "brier_skill": brier_skill,
    "calibration_slope": calibration_slope,
    "calibration_intercept": calibration_intercept,
    "expected_calibration_error": expected_calibration_error,
    "lift_at_5_percent": lift_at_5_percent,
    "lift_at_10_percent": lift_at_10_percent,
    "lift_at_20_percent": lift_at_20_percent,
}
CLV_METRICS: Final[dict[str, Metric]] = {
    "bias": bias,
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "spearman": spearman,
    "normalised_gini": normalised_gini,
    "top_decile_capture": top_decile_capture,
    "decile_error": decile_error,
}
