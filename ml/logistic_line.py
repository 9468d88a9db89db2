"""The logistic regression on one number: Platt's calibration, and Cox's slope and intercept, on weighted customers.

Regressions on many columns are scikit-learn's.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

Array = npt.NDArray[np.float64]

PROBABILITY_FLOOR: Final = 1e-6
_SETTLED: Final = 1e-10  # log-odds
_STEEPEST: Final = 50.0  # log-odds a standard deviation: the classes do not overlap


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
    parts = np.stack(np.broadcast_arrays(miss, miss * z, curve, curve * z, curve * z * z), axis=-1)
    g1, g2, h11, h12, h22 = (weights @ parts).T
    determinant = h11 * h22 - h12 * h12
    determinant = np.where(determinant > 1e-12 * h11 * h11, determinant, np.nan)
    return np.array([h22 * g1 - h12 * g2, h11 * g2 - h12 * g1]) / determinant
