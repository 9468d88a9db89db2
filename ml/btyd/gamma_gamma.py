"""Gamma-Gamma: how much a customer spends each time, after Fader and Hardie (2013), "The Gamma-Gamma Model".

Plain numbers in and out: which amounts and which customers belongs to the model families.
"""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln
from sklearn.base import BaseEstimator

from ml.btyd.likelihood import maximise

Array = npt.NDArray[np.float64]

# q above 1, or the population's mean would be infinite
_BOUNDS: Final = {"p": (1e-2, 1e4), "q": (1.01, 1e4), "gamma": (1e-4, 1e4)}
_STARTS: Final = ((1.0, 2.0, 1.0), (6.0, 4.0, 0.5), (2.0, 10.0, 5.0))


class GammaGamma(BaseEstimator):
    """Amounts are Gamma(p, nu) within a customer, nu Gamma(q, gamma) over customers, whatever the frequency.

    X has a row per customer and the columns x (purchases counted) and mean amount of those purchases.
    """

    def fit(self, X: Any, y: None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Maximum likelihood (2013, eq. 1a); `converged_` and `message_` say how it went.

        `is_sound_`: it converged and no parameter is at a bound or as good at a quite different value.

        Raises:
            ValueError: X has no rows, or a count or an amount that is not above zero.
        """
        x, amount = np.asarray(X, dtype=np.float64).T
        if len(x) == 0 or not ((x > 0) & (amount > 0)).all():
            raise ValueError("Gamma-Gamma needs customers with counts and mean amounts above zero")
        order = np.lexsort((amount, x))  # float sums must not depend on the order of rows
        x, amount = x[order], amount[order]
        scale = float(amount.mean())
        z = amount / scale
        fit = maximise(_Likelihood(x, z).mean_and_gradient, starts=_STARTS, bounds=_BOUNDS)
        self.p_, self.q_, gamma = map(float, fit.parameters)
        self.gamma_ = gamma * scale
        self.log_likelihood_ = (fit.mean_log_likelihood - float(np.log(scale))) * len(x)
        self.converged_, self.is_sound_, self.message_ = fit.converged, fit.is_sound(), fit.message
        return self

    def expected_amount(self, X: Any) -> Array:
        """E[M | x, mean amount] of the next purchase (2013, eq. 5): own mean and population's, weighted by x.

        With x = 0 it is the population's mean; an amount below zero counts as zero.
        """
        x, amount = np.asarray(X, dtype=np.float64).T
        found: Array = self.p_ * (self.gamma_ + x * np.maximum(amount, 0)) / (self.p_ * x + self.q_ - 1)
        return found


class _Likelihood:
    """The mean log-likelihood a customer; the special functions depend on counts alone, of which there are few."""

    def __init__(self, x: Array, z: Array) -> None:
        self.x, self.paid = x, x * z
        self.counts, customers = np.unique(x, return_counts=True)
        self.shares = customers / len(x)
        self.log_paid, self.log_z = float((x * np.log(self.paid)).mean()), float(np.log(z).mean())

    def mean_and_gradient(self, parameters: Array) -> tuple[float, Array]:
        """At (p, q, gamma)."""
        p, q, gamma = parameters
        px, log_gamma, spent = p * self.counts, np.log(gamma), gamma + self.paid
        log_spent = np.log(spent)
        spent_by_count, spent_mean = float((self.x * log_spent).mean()), float(log_spent.mean())
        value = (
            float(self.shares @ (gammaln(px + q) - gammaln(px)))
            - gammaln(q)
            + q * log_gamma
            - self.log_z
            + p * (self.log_paid - spent_by_count)
            - q * spent_mean
        )
        grown = digamma(px + q)
        gradient = np.array(
            [
                self.shares @ (self.counts * (grown - digamma(px))) + self.log_paid - spent_by_count,
                self.shares @ grown - digamma(q) + log_gamma - spent_mean,
                q / gamma - float(((p * self.x + q) / spent).mean()),
            ]
        )
        return float(value), gradient
