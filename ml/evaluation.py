"""How good a prediction was: metrics of rank and of level, each with a bootstrap interval over customers.

Every metric takes `(actual, predicted)`, one number a customer, treats ties as their average (so that the
order of rows never matters), and is NaN where it is undefined; a frame of results shows null there.
Deciding who serves (`ml.gate`) and fitting models do not belong here.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import expit, logit
from scipy.stats import rankdata

Array = npt.NDArray[np.float64]
Metric = Callable[[Array, Array], float]
Statistic = Callable[[npt.NDArray[np.int64]], float]

REPLICATES: Final = 200
MAXIMUM_DRAW: Final = 20_000
PROBABILITY_FLOOR: Final = 1e-6


class Interval(NamedTuple):
    """A value with its 95 % bootstrap interval."""

    value: float
    lower: float
    upper: float


def log_odds(probability: Array) -> Array:
    """Log-odds of probabilities, which are first kept away from 0 and 1."""
    return np.asarray(logit(np.clip(probability, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)), dtype=np.float64)


def fit_logistic_line(x: Array, target: Array) -> tuple[float, float]:
    """Maximum-likelihood (intercept, slope) of `P(target) = expit(intercept + slope x)` by Newton's method.

    A constant `x` has no slope to learn: the slope is NaN and the intercept is the log-odds of the mean.
    Where the outcomes are all alike or the classes do not overlap, the likelihood has no maximum and both
    are NaN.
    """
    rate, centre, spread = float(target.mean()), float(x.mean()), float(x.std())
    if not 0 < rate < 1:
        return np.nan, np.nan
    if spread <= 1e-12 * max(1.0, abs(centre)):
        return float(logit(rate)), np.nan
    z = (x - centre) / spread
    level, slope = float(logit(rate)), 0.0
    for _ in range(50):
        fitted = expit(level + slope * z)
        weight, miss = fitted * (1 - fitted), target - fitted
        h11, h12, h22 = (float((weight * power).sum()) for power in (1, z, z * z))
        g1, g2 = float(miss.sum()), float((miss * z).sum())
        determinant = h11 * h22 - h12 * h12
        if determinant <= 1e-12 * h11 * h11 or abs(slope) > 50:
            break
        step = (h22 * g1 - h12 * g2) / determinant, (h11 * g2 - h12 * g1) / determinant
        level, slope = level + step[0], slope + step[1]
        if max(map(abs, step)) < 1e-10:
            return level - slope * centre / spread, slope / spread
    return np.nan, np.nan


def auc(actual: Array, predicted: Array) -> float:
    """Probability that a random positive ranks above a random negative (Mann-Whitney)."""
    positives = actual.sum()
    negatives = len(actual) - positives
    if positives == 0 or negatives == 0:
        return np.nan
    rank_sum = (rankdata(predicted) * actual).sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(actual: Array, predicted: Array) -> float:
    """Mean precision over the positives, from the riskiest customer down; equal scores enter together."""
    if not 0 < actual.sum() < len(actual):
        return np.nan
    order = np.argsort(-predicted, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(predicted[order])), len(order) - 1)
    found = np.cumsum(actual[order])[last_of_tie]
    return float((np.diff(found, prepend=0.0) * found / (last_of_tie + 1)).sum() / found[-1])


def brier(actual: Array, predicted: Array) -> float:
    """Mean squared error of a probability; lower is better."""
    return float(((predicted - actual) ** 2).mean())


def brier_skill(actual: Array, predicted: Array) -> float:
    """Share of the test set's own base-rate Brier score that the prediction removes."""
    reference = float(actual.var())
    return 1 - brier(actual, predicted) / reference if reference > 0 else np.nan


def calibration_intercept(actual: Array, predicted: Array) -> float:
    """Intercept of the outcome regressed on predicted log-odds (Cox 1958); 0 is perfect."""
    return fit_logistic_line(log_odds(predicted), actual)[0]


def calibration_slope(actual: Array, predicted: Array) -> float:
    """Slope of the outcome regressed on predicted log-odds (Cox 1958); below 1 is over-confident."""
    return fit_logistic_line(log_odds(predicted), actual)[1]


def captured_share(actual: Array, predicted: Array, *, share: float = 0.1) -> float:
    """Share of the actual total held by the `share` of customers predicted highest."""
    total = actual.sum()
    if total <= 0:
        return np.nan
    wanted = share * len(actual)
    threshold = np.sort(predicted)[len(predicted) - int(np.ceil(wanted))]
    above, tied = predicted > threshold, predicted == threshold
    weight = (wanted - above.sum()) / tied.sum()
    return float((actual[above].sum() + weight * actual[tied].sum()) / total)


def lift_at_10_percent(actual: Array, predicted: Array) -> float:
    """How many times the base rate the riskiest tenth holds; undefined with one class only."""
    return 10 * captured_share(actual, predicted) if actual.sum() < len(actual) else np.nan


def bias(actual: Array, predicted: Array) -> float:
    """Predicted total over actual total, less 1; undefined where the actual total is not positive."""
    total = actual.sum()
    return float(predicted.sum() / total - 1) if total > 0 else np.nan


def mean_absolute_error(actual: Array, predicted: Array) -> float:
    """Mean absolute error, in units of the outcome; favours under-prediction where most buy nothing."""
    return float(np.abs(predicted - actual).mean())


def root_mean_squared_error(actual: Array, predicted: Array) -> float:
    """Root of the mean squared error, in units of the outcome; the mean minimises it."""
    return float(np.sqrt(((predicted - actual) ** 2).mean()))


def spearman(actual: Array, predicted: Array) -> float:
    """Spearman's rank correlation."""
    ranks = rankdata(actual), rankdata(predicted)
    if any(np.ptp(rank) == 0 for rank in ranks):
        return np.nan
    return float(np.corrcoef(*ranks)[0, 1])


def normalised_gini(actual: Array, predicted: Array) -> float:
    """Gini of the outcome in predicted order over that in perfect order, each as covariance with rank."""
    best = ((rankdata(actual) - (len(actual) + 1) / 2) * actual).sum()
    return float(((rankdata(predicted) - (len(actual) + 1) / 2) * actual).sum() / best) if best > 0 else np.nan


def hit_rate(actual: Array, predicted: Array) -> float:  # noqa: ARG001 - the shape of every metric
    """Mean of a yes-or-no outcome, such as "the interval held the truth"; the prediction is not used."""
    return float(actual.mean())


CHURN_METRICS: Final[dict[str, Metric]] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier": brier,
    "brier_skill": brier_skill,
    "calibration_slope": calibration_slope,
    "calibration_intercept": calibration_intercept,
    "lift_at_10_percent": lift_at_10_percent,
}
CLV_METRICS: Final[dict[str, Metric]] = {
    "bias": bias,
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "spearman": spearman,
    "normalised_gini": normalised_gini,
    "top_decile_capture": captured_share,
}


def evaluate(
    actual: Array, predicted: Array, *, metrics: Mapping[str, Metric], seed: int, replicates: int = REPLICATES
) -> pl.DataFrame:
    """One row a metric: (metric, value, lower, upper, customer_count), with null where it is undefined."""
    rows = [
        (
            name,
            *bootstrap(_on_rows(metric, actual, predicted), count=len(actual), seed=seed, replicates=replicates),
        )
        for name, metric in metrics.items()
    ]
    found = pl.DataFrame(rows, schema=["metric", "value", "lower", "upper"], orient="row")
    return found.with_columns(
        pl.col("value", "lower", "upper").cast(pl.Float64).fill_nan(None),
        customer_count=pl.lit(len(actual), pl.Int64),
    )


def paired_difference(
    metric: Metric, actual: Array, first: Array, second: Array, *, seed: int, replicates: int = REPLICATES
) -> Interval:
    """`metric(first) - metric(second)` with its interval over the same resamples of customers."""
    return bootstrap(
        lambda rows: metric(actual[rows], first[rows]) - metric(actual[rows], second[rows]),
        count=len(actual),
        seed=seed,
        replicates=replicates,
    )


def _on_rows(metric: Metric, actual: Array, predicted: Array) -> Statistic:
    return lambda rows: metric(actual[rows], predicted[rows])


def bootstrap(statistic: Statistic, *, count: int, seed: int, replicates: int = REPLICATES) -> Interval:
    """A statistic of row numbers with its 95 % percentile interval over resampled customers.

    Above MAXIMUM_DRAW customers each resample draws only that many and the spread is scaled by the root of
    the ratio (m-out-of-n bootstrap), so that a million customers cost no more than twenty thousand.
    """
    value = statistic(np.arange(count)) if count else np.nan
    if np.isnan(value):
        return Interval(np.nan, np.nan, np.nan)
    drawn = min(count, MAXIMUM_DRAW)
    random = np.random.default_rng(seed)
    found = np.array([statistic(random.integers(0, count, drawn)) for _ in range(replicates)])
    if np.isnan(found).all():
        return Interval(value, np.nan, np.nan)
    lower, upper = np.nanquantile(found, (0.025, 0.975))
    scale = np.sqrt(drawn / count)
    return Interval(value, float(value + (lower - value) * scale), float(value + (upper - value) * scale))
