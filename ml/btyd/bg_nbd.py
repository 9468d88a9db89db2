"""BG/NBD: how often a customer buys while alive, and when they drop out, after Fader, Hardie and Lee (2005).

"Counting Your Customers the Easy Way", Marketing Science 24(2). Plain numbers in and out: features and
money belong to the model families.
"""

from typing import Any, ClassVar, Final, Self, cast

import numpy as np
import numpy.typing as npt
from scipy.special import expit, hyp2f1
from sklearn.base import BaseEstimator

from ml.btyd.beta_geometric import Likelihood
from ml.btyd.histories import Histories, columns, distinct_histories
from ml.btyd.likelihood import Fit, maximise
from ml.btyd.newton import polish

Array = npt.NDArray[np.float64]

_BOUNDS: Final = {"r": (1e-4, 1e3), "alpha": (1e-4, 1e4), "a": (1e-5, 1e2), "b": (1e-3, 1e3)}
_STARTS: Final = ((1.0, 1.0, 1.0, 1.0), (0.25, 0.2, 0.8, 2.5), (2.0, 0.2, 0.05, 5.0))
_NEAR_ONE: Final = 1e-6
_SAMPLES: Final = (2_000, 16_000, 128_000)  # customers whose fit is the start for twice as many and more


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
        table = distinct_histories(X, model=self._name)
        customers, bought = float(table.customers.sum()), float((table.customers * table.x).sum())
        scale = float((table.customers * table.T).sum()) / customers or 1.0
        scaled = Histories(table.x, table.t_x / scale, table.T / scale, table.customers)
        fit = _climb(scaled, first_chances=self._first_chances)
        self.r_, alpha, self.a_, self.b_ = map(float, fit.parameters)
        self.alpha_ = alpha * scale
        self.log_likelihood_ = fit.mean_log_likelihood * customers - bought * float(np.log(scale))
        self.converged_ = fit.converged
        nobody_leaves = self.a_ / (self.a_ + self.b_) < 1e-3
        bought_again = bool(table.t_x.max() > 0)
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


def _climb(histories: Histories, *, first_chances: int) -> Fit:
    """The best fit. Many histories are climbed by few of them from several starts, then by ever more from there."""
    fit: Fit | None = None
    sizes = [size for size in _SAMPLES if size < len(histories.x) / 2]
    for part in [*map(histories.sample, sizes), histories]:
        data = Likelihood(*part, first_chances=first_chances)
        if sizes and (fit is None or fit.is_sound()):
            starts = _STARTS if fit is None else [fit.parameters]
            found = [polish(data.mean_and_slopes, start=np.array(start), bounds=_BOUNDS) for start in starts]
            fit = max(filter(None, found), key=lambda climbed: climbed.mean_log_likelihood, default=None)
        else:
            fit = None
        fit = fit or maximise(data.mean_and_gradient, starts=_STARTS, bounds=_BOUNDS)
    return cast("Fit", fit)
