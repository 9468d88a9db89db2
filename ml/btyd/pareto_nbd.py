"""Pareto/NBD: how often a customer buys while alive, and when they silently leave, after Schmittlein and others.

Schmittlein, Morrison and Colombo (1987), "Counting Your Customers", Management Science 33(1); formulas as in
Fader and Hardie (2005), "A Note on Deriving the Pareto/NBD Model". Plain numbers in and out: features and money
belong to the model families.
"""

from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, expit, exprel, gammaln
from sklearn.base import BaseEstimator

from ml.btyd.histories import columns, sorted_columns
from ml.btyd.likelihood import maximise

Array = npt.NDArray[np.float64]

_BOUNDS: Final = {"r": (1e-4, 1e3), "alpha": (1e-4, 1e4), "s": (1e-5, 1e2), "beta": (1e-4, 1e3)}
_STARTS: Final = ((1.0, 1.0, 1.0, 1.0), (0.5, 0.3, 0.5, 0.4), (2.0, 0.2, 0.1, 1.0))
_NEGLIGIBLE: Final = 32.0  # e^-32 of the highest density no longer counts
_BLOCK: Final = 8192  # histories at a time, so that the work stays in the processor's cache
_TINY: Final = 1e-300
_LEGENDRE = np.polynomial.legendre.leggauss(20)
_NODES, _WEIGHTS = (_LEGENDRE[0] + 1) / 2, _LEGENDRE[1] / 2  # on [0, 1]


class ParetoNbd(BaseEstimator):
    """Purchases are Poisson, rates Gamma(r, alpha); lifetimes are exponential, dropout rates Gamma(s, beta).

    X has a row per customer and the columns x (repeat purchases), t_x (time of the last one) and T (time
    observed), times from the first purchase in one unit of choice; that unit is the unit of `alpha_`, of
    `beta_` and of every horizon.
    """

    def fit(self, X: Any, y: None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Maximum likelihood; `converged_` and `message_` say how it went, and if nobody seems to drop out.

        `is_sound_`: somebody bought again, the climb converged, and no parameter is at a bound or as good at a
        quite different value, but for those of dropout where nobody drops out (`ml.btyd.likelihood.Fit.is_sound`).

        Raises:
            ValueError: X has no rows, a missing value, or not 0 <= t_x <= T.
        """
        x, t_x, T = sorted_columns(X, model="Pareto/NBD")
        scale = float(T.mean()) or 1.0
        data = _Likelihood(x, t_x / scale, T / scale)
        fit = maximise(data.mean_and_gradient, starts=_STARTS, bounds=_BOUNDS)
        self.r_, alpha, self.s_, beta = map(float, fit.parameters)
        self.alpha_, self.beta_ = alpha * scale, beta * scale
        self.log_likelihood_ = fit.mean_log_likelihood * len(x) - float(x.sum()) * float(np.log(scale))
        self.converged_ = fit.converged
        nobody_leaves = -np.expm1(-self.s_ * np.log1p(1 / beta)) < 1e-3  # of new customers, in the mean T
        bought_again = bool(t_x.max() > 0)
        self.is_sound_ = bought_again and fit.is_sound(nobody_leaves=nobody_leaves, of_leaving=("s", "beta"))
        remarks = {"Nobody seems to drop out.": nobody_leaves, "Nobody has bought again.": not bought_again}
        self.message_ = " ".join([fit.message, *(text for text, holds in remarks.items() if holds)])
        return self

    def alive_probability(self, X: Any) -> Array:
        """P(alive at T | x, t_x, T), shape (customers,)."""
        x, t_x, T = columns(X)
        found: Array = expit(-_dropout(self.r_ + x, self.alpha_, self.s_, self.beta_, t_x, T).log_odds)
        return found

    def expected_purchases(self, X: Any, *, horizon: float) -> Array:
        """E[Y(t) | x, t_x, T], purchases in the `horizon` after T; all zeros are a new customer."""
        x, _, T = columns(X)
        rate = (self.r_ + x) / (self.alpha_ + T)
        log_growth = np.log1p(horizon / (self.beta_ + T))
        # exprel passes smoothly through s = 1, where the paper's fraction is 0 / 0
        lifetime = (self.beta_ + T) * log_growth * exprel((1 - self.s_) * log_growth)
        found: Array = self.alive_probability(X) * rate * lifetime
        return found

    def no_purchase_probability(self, X: Any, *, horizon: float) -> Array:
        """P(Y(t) = 0 | x, t_x, T): dead already, or alive and without a purchase in the `horizon` after T.

        Whoever is alive at T starts anew with the rates updated to Gamma(r + x, alpha + T) and
        Gamma(s, beta + T), so that their silence is the likelihood of no purchase in the horizon.
        """
        x, _, T = columns(X)
        shape, alpha, beta = self.r_ + x, self.alpha_ + T, self.beta_ + T
        gone = _dropout(shape, alpha, self.s_, beta, np.zeros_like(T), np.full_like(T, horizon)).log_odds
        silent_alive = -shape * np.log1p(horizon / alpha) - self.s_ * np.log1p(horizon / beta)
        found: Array = 1 + self.alive_probability(X) * np.expm1(np.minimum(silent_alive + np.logaddexp(0, gone), 0))
        return found


class _Dropout(NamedTuple):
    """Log odds of being dead at T, and means of log and inverse of alpha + u and beta + u, u the time of dropout."""

    log_odds: Array
    log_alpha: Array
    log_beta: Array
    inverse_alpha: Array
    inverse_beta: Array


def _dropout(shape: Array, alpha: Any, s: float, beta: Any, t_x: Array, T: Array) -> _Dropout:
    """Dropout at a time u between t_x and T, of density (alpha + u)^-shape (beta + u)^-(s + 1).

    Gauss-Legendre in w = log of the smaller of alpha + u and beta + u: there the density has no sharp bend, and
    is cut off where it has fallen for good.
    """
    near = np.minimum(alpha, beta)
    start, at_alpha, at_beta = near + t_x, np.log(alpha + t_x), np.log(beta + t_x)

    def fall(w: Array) -> tuple[Array, Array, Array, Array, Array]:
        from_near = start * np.exp(w)
        from_alpha, from_beta = from_near + (alpha - near), from_near + (beta - near)
        log_alpha, log_beta = np.log(from_alpha), np.log(from_beta)
        fallen = shape * (log_alpha - at_alpha) + (s + 1) * (log_beta - at_beta) - w
        return fallen, log_alpha, log_beta, 1 / from_alpha, 1 / from_beta

    span = np.log((near + T) / start)
    for _ in range(3):  # Newton's steps from the right never pass the point sought, as the fall is convex
        fallen, _, _, by_alpha, by_beta = fall(span)
        if (fallen <= _NEGLIGIBLE).all():
            break
        slope = start * np.exp(span) * (shape * by_alpha + (s + 1) * by_beta) - 1
        span = span - np.maximum(fallen - _NEGLIGIBLE, 0) / np.maximum(slope, 1)
    total, *means = np.zeros((5, len(T)))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        fallen, *terms = fall(span * node)
        density = weight * np.exp(-fallen)
        total += density
        for mean, term in zip(means, terms, strict=True):
            mean += density * term
    log_integral = np.log(total) + np.log(np.maximum(span * start, _TINY)) - at_beta
    odds = np.log(s) + shape * (np.log(alpha + T) - at_alpha) + s * (np.log(beta + T) - at_beta) + log_integral
    return _Dropout(odds, *(mean / total for mean in means))


class _Likelihood:
    """The mean log-likelihood of one data set; histories that are alike are worked out once."""

    def __init__(self, x: Array, t_x: Array, T: Array) -> None:
        rows, counts = np.unique(np.column_stack([x, t_x, T]), axis=0, return_counts=True)
        self.histories = np.vstack([rows.T, counts / len(x)])  # the last row is the share of customers

    def mean_and_gradient(self, parameters: Array) -> tuple[float, Array]:
        size = self.histories.shape[1]
        blocks = (self.histories[:, first : first + _BLOCK] for first in range(0, size, _BLOCK))
        value, *gradient = np.sum([_value_and_slopes(parameters, *block) for block in blocks], axis=0)
        return float(value), np.array(gradient)


def _value_and_slopes(parameters: Array, x: Array, t_x: Array, T: Array, share: Array) -> list[float]:
    """The log-likelihood and its slopes in r, alpha, s and beta, summed over histories by their share."""
    r, alpha, s, beta = parameters
    shape = r + x
    dead = _dropout(shape, alpha, s, beta, t_x, T)
    weight = expit(dead.log_odds)
    log_alpha, log_beta = np.log(alpha + T), np.log(beta + T)
    known = gammaln(shape) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    terms = (
        known - shape * log_alpha - s * log_beta + np.logaddexp(0, dead.log_odds),
        # each slope is that for the customer alive, moved by the odds of dropout
        digamma(shape) - digamma(r) + np.log(alpha) - log_alpha + weight * (log_alpha - dead.log_alpha),
        r / alpha - shape / (alpha + T) + weight * shape * (1 / (alpha + T) - dead.inverse_alpha),
        np.log(beta) - log_beta + weight * (1 / s + log_beta - dead.log_beta),
        s / beta - s / (beta + T) + weight * (s / (beta + T) - (s + 1) * dead.inverse_beta),
    )
    return [float((share * term).sum()) for term in terms]
