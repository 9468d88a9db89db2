"""How good a prediction was: metrics of rank and of level, each on weighted customers.

Every metric takes `(actual, predicted)`, one number a customer, and is a number; with `weights` of shape (replicates,
customers) it is one number a replicate, which is what a bootstrap needs. Ties count as their average, so that the
order of rows never matters; what is undefined is NaN. Whose predictions, and on which day, belongs to `evaluation`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

Array = npt.NDArray[np.float64]
Metric = Callable[..., Any]
"""(actual, predicted) to a float, or with weights (replicates, customers) to an array of shape (replicates,)."""

PROBABILITY_FLOOR: Final = 1e-6
BINS: Final = 10
_SETTLED: Final = 1e-10  # log-odds
_STEEPEST: Final = 50.0  # log-odds a standard deviation: the classes do not overlap


def _weighted(metric: Callable[[Array, Array, Array], Array]) -> Metric:
    """The metric with weights left to choose; of nobody it is NaN."""

    @wraps(metric)
    def measured(actual: Array, predicted: Array, weights: Array | None = None) -> float | Array:
        given = np.ones((1, len(actual))) if weights is None else weights
        with np.errstate(divide="ignore", invalid="ignore"):
            found = metric(actual, predicted, given) if len(actual) else np.full(len(given), np.nan)
        return float(found[0]) if weights is None else found

    return measured


def log_odds(probability: Array) -> Array:
    """Log-odds of probabilities, which are first kept away from 0 and 1."""
    return np.asarray(logit(np.clip(probability, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)), dtype=np.float64)


def fit_logistic_line(x: Array, target: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """Maximum-likelihood intercepts and slopes of `P(target) = expit(intercept + slope x)`, one pair a replicate.

    With weights each pair is one Newton step away from everybody's line (the one-step bootstrap). A constant `x` has
    no slope to learn: the slope is NaN and the intercept is the log-odds of the mean. Where the outcomes are all alike
    or the classes do not overlap, the likelihood has no maximum and both are NaN.
    """
    rows = np.ones((1, len(x))) if weights is None else weights
    rate = (rows @ target) / rows.sum(axis=1)
    both = (rate > 0) & (rate < 1)
    centre, spread = float(x.mean()), float(x.std())
    if spread <= 1e-12 * max(1.0, abs(centre)):
        return np.where(both, logit(np.where(both, rate, 0.5)), np.nan), np.full(len(rows), np.nan)
    z, line = (x - centre) / spread, np.zeros((2, 1))
    for _ in range(50):
        step = _newton_step(line, z, target, np.ones((1, len(x))))
        line = line + step
        if not np.abs(step).max() > _SETTLED:  # or there is no step
            break
    if weights is not None:
        line = line + _newton_step(line, z, target, weights)
    level, slope = np.where(both & (np.abs(line[1]) < _STEEPEST), line, np.nan)
    return level - slope * centre / spread, slope / spread


def _newton_step(line: Array, z: Array, target: Array, weights: Array) -> Array:
    """From one line towards each replicate's maximum, shape (2, replicates); NaN where there is none to be seen."""
    fitted = expit(line[0] + line[1] * z)
    miss, curve = target - fitted, fitted * (1 - fitted)
    g1, g2, h11, h12, h22 = (weights @ part for part in (miss, miss * z, curve, curve * z, curve * z * z))
    determinant = h11 * h22 - h12 * h12
    determinant = np.where(determinant > 1e-12 * h11 * h11, determinant, np.nan)
    return np.array([h22 * g1 - h12 * g2, h11 * g2 - h12 * g1]) / determinant


class _Groups(NamedTuple):
    """Customers of equal prediction taken together, in order: each group's weight, and that of its outcomes."""

    weight: Array
    outcome: Array
    of_row: npt.NDArray[np.int64]

    @property
    def weight_before(self) -> Array:
        return np.asarray(self.weight.cumsum(axis=1) - self.weight)


def _grouped(key: Array, actual: Array, weights: Array) -> _Groups:
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=np.nan) != 0)
    of_row = np.empty(len(key), dtype=np.int64)
    of_row[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(key)))
    ordered = weights[:, order]
    return _Groups(
        np.add.reduceat(ordered, starts, axis=1), np.add.reduceat(ordered * actual[order], starts, axis=1), of_row
    )


@_weighted
def auc(actual: Array, predicted: Array, weights: Array) -> Array:
    """Probability that a random positive ranks above a random negative (Mann-Whitney)."""
    groups = _grouped(predicted, actual, weights)
    negative = groups.weight - groups.outcome
    below = negative.cumsum(axis=1) - negative / 2
    found: Array = (groups.outcome * below).sum(axis=1) / (groups.outcome.sum(axis=1) * negative.sum(axis=1))
    return found


@_weighted
def average_precision(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean precision over the positives, from the riskiest customer down; equal scores enter together."""
    groups = _grouped(-predicted, actual, weights)
    found, seen = groups.outcome.cumsum(axis=1), groups.weight.cumsum(axis=1)
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    value = (groups.outcome * precision).sum(axis=1) / found[:, -1]
    return np.where(found[:, -1] < seen[:, -1], value, np.nan)


@_weighted
def brier(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean squared error of a probability; lower is better."""
    return _mean((predicted - actual) ** 2, weights)


@_weighted
def brier_skill(actual: Array, predicted: Array, weights: Array) -> Array:
    """Share of the test set's own base-rate Brier score that the prediction removes."""
    rate = _mean(actual, weights)
    reference = rate * (1 - rate)
    return np.where(reference > 0, 1 - _mean((predicted - actual) ** 2, weights) / reference, np.nan)


@_weighted
def calibration_intercept(actual: Array, predicted: Array, weights: Array) -> Array:
    """Intercept of the outcome regressed on predicted log-odds (Cox 1958); 0 is perfect."""
    return fit_logistic_line(log_odds(predicted), actual, weights)[0]


@_weighted
def calibration_slope(actual: Array, predicted: Array, weights: Array) -> Array:
    """Slope of the outcome regressed on predicted log-odds (Cox 1958); below 1 is over-confident."""
    return fit_logistic_line(log_odds(predicted), actual, weights)[1]


@_weighted
def expected_calibration_error(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean absolute difference of predicted and observed rate over tenths of customers by prediction."""
    found: Array = _binned_error(actual, predicted, weights) / weights.sum(axis=1)
    return found


@_weighted
def decile_error(actual: Array, predicted: Array, weights: Array) -> Array:
    """Absolute errors of the totals of tenths of customers by prediction, as a share of the actual total."""
    total = weights @ actual
    return np.where(total > 0, _binned_error(actual, predicted, weights) / total, np.nan)


def _binned_error(actual: Array, predicted: Array, weights: Array) -> Array:
    order = np.argsort(predicted, kind="stable")
    ordered = predicted[order]
    edges = ordered[np.arange(1, BINS) * len(ordered) // BINS]
    starts = np.unique(np.append(0, np.searchsorted(ordered, edges)))
    errors = np.add.reduceat(weights[:, order] * (predicted - actual)[order], starts, axis=1)
    return np.asarray(np.abs(errors).sum(axis=1))


def _captured(actual: Array, predicted: Array, weights: Array, share: float) -> Array:
    groups = _grouped(-predicted, actual, weights)
    wanted = share * weights.sum(axis=1, keepdims=True)
    room = np.clip(wanted - groups.weight_before, 0, groups.weight)
    part = np.divide(room, groups.weight, out=np.zeros_like(room), where=groups.weight > 0)
    total = groups.outcome.sum(axis=1)
    return np.where(total > 0, (part * groups.outcome).sum(axis=1) / total, np.nan)


@_weighted
def top_decile_capture(actual: Array, predicted: Array, weights: Array) -> Array:
    """Share of the actual total held by the tenth of customers predicted highest."""
    return _captured(actual, predicted, weights, 0.1)


def _lift(share: float) -> Metric:
    def lift(actual: Array, predicted: Array, weights: Array) -> Array:
        both = (weights @ actual > 0) & (weights @ (1 - actual) > 0)
        return np.where(both, _captured(actual, predicted, weights, share) / share, np.nan)

    lift.__doc__ = f"How many times the base rate the riskiest {share:.0%} hold; undefined with one class only."
    return _weighted(lift)


lift_at_5_percent, lift_at_10_percent, lift_at_20_percent = map(_lift, (0.05, 0.1, 0.2))


@_weighted
def calibration_in_the_large(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean predicted less mean observed, in units of the outcome; above 0 too much was predicted."""
    return _mean(predicted - actual, weights)


@_weighted
def bias(actual: Array, predicted: Array, weights: Array) -> Array:
    """Predicted total over actual total, less 1; undefined where the actual total is not positive."""
    total = weights @ actual
    return np.where(total > 0, (weights @ predicted) / total - 1, np.nan)


@_weighted
def mean_absolute_error(actual: Array, predicted: Array, weights: Array) -> Array:
    """Mean absolute error, in units of the outcome; favours under-prediction where most buy nothing."""
    return _mean(np.abs(predicted - actual), weights)


@_weighted
def root_mean_squared_error(actual: Array, predicted: Array, weights: Array) -> Array:
    """Root of the mean squared error, in units of the outcome; the mean minimises it."""
    return np.sqrt(_mean((predicted - actual) ** 2, weights))


@_weighted
def spearman(actual: Array, predicted: Array, weights: Array) -> Array:
    """Spearman's rank correlation."""
    first, second = (_centred_ranks(values, weights) for values in (actual, predicted))
    both, own = (weights * first * second).sum(axis=1), [(weights * r * r).sum(axis=1) for r in (first, second)]
    return np.asarray(both / np.sqrt(own[0] * own[1]))


def _centred_ranks(values: Array, weights: Array) -> Array:
    groups = _grouped(values, values, weights)
    middle = groups.weight_before + groups.weight / 2 - weights.sum(axis=1, keepdims=True) / 2
    return np.asarray(middle[:, groups.of_row])


@_weighted
def normalised_gini(actual: Array, predicted: Array, weights: Array) -> Array:
    """Gini of the outcome in predicted order over that in perfect order, each as covariance with rank."""
    half = weights.sum(axis=1, keepdims=True) / 2
    found, best = (
        ((groups.weight_before + groups.weight / 2 - half) * groups.outcome).sum(axis=1)
        for groups in (_grouped(key, actual, weights) for key in (predicted, actual))
    )
    return np.where(best > 0, found / best, np.nan)


@_weighted
def hit_rate(actual: Array, predicted: Array, weights: Array) -> Array:  # noqa: ARG001 - the shape of every metric
    """Mean of a yes-or-no outcome, such as "the interval held the truth"; the prediction is not used."""
    return _mean(actual, weights)


def _mean(values: Array, weights: Array) -> Array:
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
