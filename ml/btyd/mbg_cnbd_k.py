"""MBG/CNBD-k: MBG/NBD for customers who buy regularly, after Platzer and Reutterer (2016).

"Ticking Away the Moments: Timing Regularity Helps to Better Predict Customer Activity", Marketing Science 35(5)
has Erlang-k waiting; Reutterer, Platzer and Schroeder (2021), "Leveraging purchase regularity for predicting
customer behavior the easy way", International Journal of Research in Marketing 38(1), put it into BG/NBD and
MBG/NBD. Sums over stages of waiting are in `ml.btyd.erlang`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln, xlogy
from sklearn.base import BaseEstimator

from ml.btyd.erlang import purchases_if_silent, silence
from ml.btyd.histories import columns, distinct_histories, sorted_columns
from ml.btyd.likelihood import Fit, maximise

Array = npt.NDArray[np.float64]

_BOUNDS: Final = {"r": (1e-4, 1e3), "alpha": (1e-4, 1e4), "a": (1e-5, 1e2), "b": (1e-3, 1e3)}
_STARTS: Final = ((1.0, 1.0, 1.0, 1.0), (0.25, 0.2, 0.8, 2.5), (2.0, 0.2, 0.05, 5.0))
_SEARCHED: Final = 50_000  # customers at most to find k by; all of them fit the rest
_PATIENCE: Final = 2  # values of k without a higher likelihood before the search ends


class MbgCnbdK(BaseEstimator):
    """Waiting is Erlang-k at stage rates Gamma(r, alpha); each purchase may be the last, chances Beta(a, b).

    X has a row per customer and the columns x (repeat purchases), t_x (time of the last one) and T (time
    observed), times from the first purchase in one unit of choice; that unit is the unit of `alpha_` and of
    every horizon. A fourth column, the sum of the logs of the x gaps between purchases (`litt` in R's BTYDplus,
    0 without a repeat purchase), is used by `fit` alone and makes k better known. Without it the likelihood is
    that of x and t_x with the purchases between integrated out: t_x is a sum of k x stages. Either is MBG/NBD's
    at k = 1, so that log-likelihoods compare.

    `k` fixes the regularity; otherwise 1, 2, ... up to `k_max` are tried until the likelihood has fallen twice;
    of more than 50,000 customers every so many-th finds k, and all of them fit the rest.
    """

    def __init__(self, *, k: int | None = None, k_max: int = 12) -> None:
        self.k = k
        self.k_max = k_max

    def fit(self, X: Any, y: None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Maximum likelihood; `k_`, and `converged_`, `is_sound_` and `message_` as `BgNbd` has them.

        Raises:
            ValueError: X has no rows, a missing value, not 0 <= t_x <= T, or gaps longer than t_x.
        """
        x, t_x, T = sorted_columns(X, model="MBG/CNBD-k")
        scale = float(T.mean()) or 1.0
        rows = _with_checked_gaps(X)
        rows = rows[np.lexsort(rows.T)]  # float sums and the sample must not depend on the order of rows
        every = -(-len(rows) // _SEARCHED)
        best, self.k_ = self._search(_scaled(rows[every // 2 :: every], scale))
        if every > 1:
            others = () if best.is_sound() else _STARTS
            best = _climb(_scaled(rows, scale), self.k_, [*others, best.parameters])
        self.r_, alpha, self.a_, self.b_ = map(float, best.parameters)
        self.alpha_ = alpha * scale
        self.log_likelihood_ = best.mean_log_likelihood * len(x) - float(x.sum()) * float(np.log(scale))
        self.converged_ = best.converged
        nobody_leaves = self.a_ / (self.a_ + self.b_) < 1e-3
        bought_again = bool(t_x.max() > 0)
        self.is_sound_ = bought_again and best.is_sound(nobody_leaves=nobody_leaves, of_leaving=("a", "b"))
        remarks = {"Nobody seems to drop out.": nobody_leaves, "Nobody has bought again.": not bought_again}
        self.message_ = " ".join([best.message, *(text for text, holds in remarks.items() if holds)])
        return self

    def _search(self, data: "_Likelihood") -> tuple[Fit, int]:
        """The best fit, and its k."""
        best, k_best = _climb(data, self.k or 1, _STARTS), self.k or 1
        if self.k is not None:
            return best, k_best
        for k in range(2, self.k_max + 1):
            r, alpha, a, b = best.parameters  # as many purchases, of more stages each
            found = _climb(data, k, [(r, alpha * k_best / k, a, b)])
            if found.mean_log_likelihood > best.mean_log_likelihood:
                best, k_best = found, k
            elif k - k_best >= _PATIENCE:
                break
        return (_climb(data, k_best, [*_STARTS, best.parameters]) if k_best > 1 else best), k_best

    def alive_probability(self, X: Any) -> Array:
        """P(alive at T | x, t_x, T), shape (customers,)."""
        x, t_x, T = columns(X)
        waiting = silence(self.k_, self.r_ + self.k_ * x, self.alpha_, t_x, T).probability
        found: Array = waiting / (waiting + self.a_ / (self.b_ + x))
        return found

    def expected_purchases(self, X: Any, *, horizon: float) -> Array:
        """E[Y(t) | x, t_x, T], purchases in the `horizon` after T; all zeros are a new customer.

        Not the papers' approximation, but the sum over stages itself (`purchases_if_silent`).
        """
        x, t_x, T = columns(X)
        shape = self.r_ + self.k_ * x
        waiting = silence(self.k_, shape, self.alpha_, t_x, T).probability
        bought = purchases_if_silent(self.k_, shape, self.alpha_, t_x, T, horizon=horizon, a=self.a_, b=self.b_ + x + 1)
        found: Array = np.maximum(bought, 0) / (waiting + self.a_ / (self.b_ + x))
        return found

    def no_purchase_probability(self, X: Any, *, horizon: float) -> Array:
        """P(Y(t) = 0 | x, t_x, T): dead already, or alive and without a purchase in the `horizon` after T."""
        x, t_x, T = columns(X)
        shape, gone = self.r_ + self.k_ * x, self.a_ / (self.b_ + x)
        by_now, by_then = (silence(self.k_, shape, self.alpha_, t_x, end).probability for end in (T, T + horizon))
        found: Array = (gone + np.minimum(by_then, by_now)) / (gone + by_now)
        return found


def _with_checked_gaps(X: Any) -> Array:
    """X itself, of three or four columns.

    Raises:
        ValueError: a fourth column with a value that no gaps within t_x can have.
    """
    table: Array = np.asarray(X, dtype=np.float64)[:, :4]
    if table.shape[1] == 4:
        x, t_x, _, found = table.T
        most = xlogy(x, t_x / np.maximum(x, 1))  # of equal gaps
        fits = (found <= most + 1e-6 * (1 + np.abs(most))) & ((x > 0) | (found == 0))
        if not (np.isfinite(found) & fits).all():
            raise ValueError("MBG/CNBD-k needs finite sums of log gaps that fit t_x, and 0 without a repeat purchase")
    return table


def _scaled(rows: Array, scale: float) -> "_Likelihood":
    """The likelihood of these rows with times in units of `scale`."""
    x, t_x, T, *gaps = rows.T
    log_gaps = float(gaps[0].mean() - x.mean() * np.log(scale)) if gaps else None
    return _Likelihood(x, t_x / scale, T / scale, log_gaps=log_gaps)


def _climb(data: "_Likelihood", k: int, starts: Sequence[Sequence[float] | Array]) -> Fit:
    """The best fit of one k."""
    climb = partial(data.mean_and_gradient, k=k, timing=data.timing(k))
    return maximise(climb, starts=starts, bounds=_BOUNDS)


class _Likelihood:
    """The mean log-likelihood of one data set for any k; histories that are alike are worked out once."""

    def __init__(self, x: Array, t_x: Array, T: Array, *, log_gaps: float | None) -> None:
        histories = distinct_histories(np.column_stack([x, t_x, T]), model="MBG/CNBD-k")
        self.x, self.t_x, self.T = histories[:3]
        self.share = histories.customers / len(x)
        self.values, self.of_value = np.unique(self.x, return_inverse=True)
        self.value_share = np.bincount(self.of_value, weights=self.share)
        self.log_gaps = log_gaps
        moved = self.t_x[self.t_x > 0]
        resolution = moved.min() / 2 if len(moved) else 1.0  # for repeats at the very time of the first purchase
        self.log_t_x = np.log(np.maximum(self.t_x, resolution))

    def timing(self, k: int) -> float:
        """What the times of purchases add beside MBG/NBD's, whatever the other parameters."""
        x, share = self.values, self.value_share
        if self.log_gaps is not None:
            return float((k - 1) * self.log_gaps - gammaln(k) * (x * share).sum())
        repeated = np.maximum(x, 1)
        spread = np.where(x > 0, gammaln(repeated) - gammaln(k * repeated), 0)
        return float((k - 1) * (self.share * self.x * self.log_t_x).sum() + (share * spread).sum())

    def mean_and_gradient(self, parameters: Array, *, k: int, timing: float) -> tuple[float, Array]:
        """2016, appendix: the density up to t_x, times having dropped out then or being silent since."""
        r, alpha, a, b = parameters
        shape_v, of_value, share_v = r + k * self.values, self.of_value, self.value_share
        shape, share = shape_v[of_value], self.share
        still = silence(k, shape, alpha, self.t_x, self.T)
        gone_v = a / (b + self.values)
        either = gone_v[of_value] + still.probability
        log_t_x = np.log(alpha + self.t_x)
        chances_v = self.values + 1
        steps_a = digamma(a + b) - (share_v * digamma(a + b + chances_v)).sum()
        by_value = gammaln(shape_v) + gammaln(b + chances_v) - gammaln(a + b + chances_v)
        known = (share_v * by_value).sum() - gammaln(r) + r * np.log(alpha) + gammaln(a + b) - gammaln(b)
        value = known + (share * (np.log(either) - shape * log_t_x)).sum() + timing
        relative = share / either
        gone = np.bincount(of_value, weights=relative) * gone_v
        gradient = [
            (share_v * digamma(shape_v)).sum()
            - digamma(r)
            + np.log(alpha)
            + (relative * still.by_shape - share * log_t_x).sum(),
            r / alpha + (relative * still.by_alpha - share * shape / (alpha + self.t_x)).sum(),
            steps_a + gone.sum() / a,
            steps_a + (share_v * digamma(b + chances_v)).sum() - digamma(b) - (gone / (b + self.values)).sum(),
        ]
        return float(value), np.array(gradient)
