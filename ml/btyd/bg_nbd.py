"""BG/NBD: how often a customer buys while alive, and when they drop out, after Fader, Hardie and Lee (2005).

"Counting Your Customers the Easy Way", Marketing Science 24(2). Plain numbers in and out: features and
money belong to the model families.
"""

from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, expit, gammaln, hyp2f1
from sklearn.base import BaseEstimator

from ml.btyd.histories import columns, sorted_columns
from ml.btyd.likelihood import maximise

Array = npt.NDArray[np.float64]

_BOUNDS: Final = {"r": (1e-4, 1e3), "alpha": (1e-4, 1e4), "a": (1e-5, 1e2), "b": (1e-3, 1e3)}
_STARTS: Final = ((1.0, 1.0, 1.0, 1.0), (0.25, 0.2, 0.8, 2.5), (2.0, 0.2, 0.05, 5.0))
_NEAR_ONE: Final = 1e-6


class BgNbd(BaseEstimator):
    """Purchases are Poisson, rates Gamma(r, alpha); each may be the last one, probabilities Beta(a, b).

    X has a row per customer and the columns x (repeat purchases), t_x (time of the last one) and T (time
    observed), times from the first purchase in one unit of choice; that unit is the unit of `alpha_` and of
    every horizon.
    """

    _name: ClassVar[str] = "BG/NBD"
    _first_chances: ClassVar[int] = 0  # to drop out at the first purchase; each repeat is one more chance

    def fit(self, X: Any, y: None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Maximum likelihood; `converged_` and `message_` say how it went, and if nobody seems to drop out.

        `is_sound_`: somebody bought again, the climb converged, and no parameter is at a bound or as good at a
        quite different value, but for those of dropout where nobody drops out (`ml.btyd.likelihood.Fit.is_sound`).

        Raises:
            ValueError: X has no rows, a missing value, or not 0 <= t_x <= T.
        """
        x, t_x, T = sorted_columns(X, model=self._name)
        scale = float(T.mean()) or 1.0
        data = _Likelihood(x, t_x / scale, T / scale, first_chances=self._first_chances)
        fit = maximise(data.mean_and_gradient, starts=_STARTS, bounds=_BOUNDS)
        self.r_, alpha, self.a_, self.b_ = map(float, fit.parameters)
        self.alpha_ = alpha * scale
        self.log_likelihood_ = fit.mean_log_likelihood * len(x) - float(x.sum()) * float(np.log(scale))
        self.converged_ = fit.converged
        nobody_leaves = self.a_ / (self.a_ + self.b_) < 1e-3
        bought_again = bool(t_x.max() > 0)
        self.is_sound_ = bought_again and fit.is_sound(nobody_leaves=nobody_leaves, of_leaving=("a", "b"))
        remarks = {"Nobody seems to drop out.": nobody_leaves, "Nobody has bought again.": not bought_again}
        self.message_ = " ".join([fit.message, *(text for text, holds in remarks.items() if holds)])
        return self

    def alive_probability(self, X: Any) -> Array:
        """P(alive at T | x, t_x, T), 1 for whoever never repeated (Fader, Hardie, Lee 2008, eq. 4)."""
        x, t_x, T = columns(X)
        chances = x + self._first_chances
        silence = (self.r_ + x) * np.log((self.alpha_ + T) / (self.alpha_ + t_x))
        log_odds_dead = np.log(self.a_ / (self.b_ + np.maximum(chances, 1) - 1)) + silence
        return np.where(chances > 0, expit(-log_odds_dead), 1.0)

    def expected_purchases(self, X: Any, *, horizon: float) -> Array:
        """E[Y(t) | x, t_x, T], purchases in the `horizon` after T (2005, eq. 10).

        Euler's transformation of 2F1 takes out its large exponent, so that hundreds of purchases do not
        overflow and the limit of no dropout, (r + x) t / (alpha + T), is met smoothly. All zeros give a new
        customer.
        """
        x, _, T = columns(X)
        a = self.a_ if abs(self.a_ - 1) > _NEAR_ONE else 1 + _NEAR_ONE
        z = horizon / (self.alpha_ + T + horizon)
        c = a + self.b_ + x + self._first_chances - 1
        c = np.where(np.abs(c) > _NEAR_ONE, c, _NEAR_ONE)
        remaining = (1 - z) ** (a - 1) * hyp2f1(a + self.b_ + self._first_chances - 1 - self.r_, a - 1, c, z)
        found: Array = c / (a - 1) * (1 - remaining) * self.alive_probability(X)
        return found

    def no_purchase_probability(self, X: Any, *, horizon: float) -> Array:
        """P(Y(t) = 0 | x, t_x, T): dead already, or alive and without a purchase in the `horizon` after T."""
        x, _, T = columns(X)
        silent = ((self.alpha_ + T) / (self.alpha_ + T + horizon)) ** (self.r_ + x)
        found: Array = 1 - self.alive_probability(X) * (1 - silent)
        return found


class _Likelihood:
    """The mean log-likelihood of one data set (2005, eq. 6); what depends on x alone is done once a value."""

    def __init__(self, x: Array, t_x: Array, T: Array, *, first_chances: int = 0) -> None:
        self.x, self.t_x, self.T, self.count = x, t_x, T, len(x)
        self.values, self.counts = np.unique(x, return_counts=True)
        self.first_chances = first_chances
        self.tried = x + first_chances > 0

    def mean_and_gradient(self, parameters: Array) -> tuple[float, Array]:
        r, alpha, a, b = parameters
        v, n, tried = self.values, self.counts, self.tried
        x, T = self.x, self.T
        chances_v, chances = v + self.first_chances, x[tried] + self.first_chances
        # A3 + A4 of the paper as A3 (1 + dead), dead = A4 / A3, and weight = dead / (1 + dead)
        log_ratio = np.log((alpha + T[tried]) / (alpha + self.t_x[tried]))
        log_dead = np.log(a / (b + chances - 1)) + (r + x[tried]) * log_ratio
        weight = expit(log_dead)
        log_T = np.log(alpha + T)
        by_rate = gammaln(r + v) - gammaln(r)
        by_count = by_rate + gammaln(a + b) - gammaln(a + b + chances_v) + gammaln(b + chances_v) - gammaln(b)
        total = (
            (n * by_count).sum()
            + self.count * r * np.log(alpha)
            - ((r + x) * log_T).sum()
            + np.logaddexp(0, log_dead).sum()
        )
        steps_a = (n * (digamma(a + b) - digamma(a + b + chances_v))).sum()
        by_T, by_last = (r + x) / (alpha + T), (r + x[tried]) / (alpha + self.t_x[tried])
        gradient = np.array(
            [
                (n * (digamma(r + v) - digamma(r))).sum()
                + self.count * np.log(alpha)
                - log_T.sum()
                + (weight * log_ratio).sum(),
                self.count * r / alpha - by_T.sum() + (weight * (by_T[tried] - by_last)).sum(),
                steps_a + weight.sum() / a,
                steps_a + (n * (digamma(b + chances_v) - digamma(b))).sum() - (weight / (b + chances - 1)).sum(),
            ]
        )
        return float(total / self.count), gradient / self.count
