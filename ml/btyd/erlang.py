"""Erlang-k waiting as Poisson stages, every k-th of them a purchase, for a gamma mixture of stage rates.

Platzer and Reutterer (2016), "Ticking Away the Moments: Timing Regularity Helps to Better Predict Customer
Activity", Marketing Science 35(5). Only arithmetic on given parameters belongs here: fitting is `mbg_cnbd_k`.

Given the purchases up to t_x the stage rate is Gamma(shape, alpha + t_x), so that the number of stages in a span
s after t_x is negative binomial of `shape` with success s / (alpha + t_x + s). No purchase means fewer than k.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammaln, xlogy

Array = npt.NDArray[np.float64]

_BLOCK: Final = 4096  # customers at a time, of about as many steps each
_MOST_STEPS: Final = 20_000  # more than that and the sum is taken by quadrature
_NEGLIGIBLE: Final = 1e-13
_ONE_BY_ONE: Final = 256  # purchases that quadrature still adds one by one
_NEAR_ONE: Final = 1e-6
_TINY: Final = 1e-22
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


class Silence(NamedTuple):
    """P(fewer than k stages between t_x and T), and its slopes in the shape and in alpha."""

    probability: Array
    by_shape: Array
    by_alpha: Array


def silence(k: int, shape: Array, alpha: float, t_x: Array, T: Array) -> Silence:
    """No purchase between t_x and T by someone who stays: k terms of the negative binomial."""
    log_ratio = np.log((alpha + T) / (alpha + t_x))
    success = (T - t_x) / (alpha + T)
    term = np.exp(-shape * log_ratio)
    probability, by_shape, steps = term.copy(), -log_ratio * term, -log_ratio
    for j in range(1, k):
        term = term * success * (shape + j - 1) / j
        steps = steps + 1 / (shape + j - 1)
        probability += term
        by_shape += term * steps
    by_alpha = term * (shape + k - 1) * success / (alpha + t_x)
    return Silence(probability, by_shape, by_alpha)


def purchases_if_silent(
    k: int, shape: Array, alpha: float, t_x: Array, T: Array, *, horizon: float, a: float, b: Array
) -> Array:
    """E[purchases in the horizon after T; fewer than k stages between t_x and T], shape (customers,).

    A purchase is the last with probability p, Beta(a, b) given that the customer is alive at T. Of the m stages
    between t_x and T + horizon at most k - 1 may lie before T, where each lies with probability
    (T - t_x) / (T - t_x + horizon); then floor(m / k) purchases are due and the i-th of them takes place with the
    mean of (1 - p)^(i - 1). The sum over m is exact to about 13 digits; where it had tens of thousands of
    terms, as for a horizon of a thousand times alpha, the i are added by quadrature, exact to about 6 digits.
    """
    found = np.zeros(len(T))
    if horizon == 0 or len(T) == 0:
        return found
    mean = (shape + k) * horizon / (alpha + T)
    deviation = np.sqrt(mean * (1 + horizon / (alpha + T)))
    first = np.maximum(np.floor((mean * shape / (shape + k) - 10 * deviation) / k), 1)
    steps = np.minimum(mean - first * k, 10 * deviation) + 10 * deviation + 30 * (1 + horizon / (alpha + T))
    order = np.argsort(steps, kind="stable")
    few = order[steps[order] <= _MOST_STEPS]
    for start in range(0, len(few), _BLOCK):
        at = few[start : start + _BLOCK]
        found[at] = _summed(
            k, shape[at], alpha, t_x[at], T[at], horizon=horizon, a=a, b=b[at], first=first[at], mean=mean[at]
        )
    many = order[len(few) :]
    found[many] = _integrated(k, shape[many], alpha, t_x[many], T[many], horizon=horizon, a=a, b=b[many])
    return found


def _summed(
    k: int,
    shape: Array,
    alpha: float,
    t_x: Array,
    T: Array,
    *,
    horizon: float,
    a: float,
    b: Array,
    first: Array,
    mean: Array,
) -> Array:
    """The sum over stages m from k times `first` upwards, all customers in step, until the rest is negligible."""
    span = T - t_x
    success = (span + horizon) / (alpha + T + horizon)
    before = span / (span + horizon)
    m = k * first
    log_stages = gammaln(shape + m) - gammaln(shape) - gammaln(m + 1) + m * np.log(success)
    stages = np.exp(log_stages + shape * np.log((alpha + t_x) / (alpha + T + horizon)))
    silent = betainc(m - k + 1, k, 1 - before)
    log_edge = gammaln(m + 1) - gammaln(k) - gammaln(m - k + 2) + xlogy(k - 1, before)
    edge = np.exp(log_edge + (m - k + 1) * np.log1p(-before))  # exactly k - 1 of m before T
    off_one = a if abs(a - 1) > _NEAR_ONE else 1 + _NEAR_ONE
    log_stay = gammaln(b + first) - gammaln(b) + gammaln(off_one + b - 1) - gammaln(off_one + b - 1 + first)
    due = (off_one + b - 1) / (1 - off_one) * np.expm1(log_stay)
    stay = np.exp(gammaln(b + first) - gammaln(b) + gammaln(a + b) - gammaln(a + b + first))
    rest = _NEGLIGIBLE * (alpha + T) / (alpha + T + horizon)
    past, step, total = mean - m + k, 0, np.zeros(len(T))
    is_open = np.ones(len(T), dtype=bool)  # no customer's last digit may depend on who else is summed
    while True:
        for _ in range(k):
            term = np.where(is_open, stages * silent * due, 0.0)
            total += term
            stages *= success * (shape + m) / (m + 1)
            silent -= before * edge
            edge *= (1 - before) * (m + 1) / (m - k + 2)
            m = m + 1
        step += k
        is_open &= (step <= past) | (np.abs(term) > rest * np.abs(total) + _TINY)
        if not is_open.any():
            return total
        due += stay
        stay *= (b + m / k - 1) / (a + b + m / k - 1)


def _integrated(
    k: int, shape: Array, alpha: float, t_x: Array, T: Array, *, horizon: float, a: float, b: Array
) -> Array:
    """The same by the stages j before T and the purchases i after it, large i by Gauss-Legendre on growing spans."""
    total = np.zeros(len(T))
    if len(T) == 0:
        return total
    success = horizon / (alpha + T + horizon)
    size = float(((shape + k) / (1 - success)).max()) * 40 / k
    points, weights = [np.arange(1.0, _ONE_BY_ONE + 1)], [np.ones(_ONE_BY_ONE)]
    edge, growth = _ONE_BY_ONE + 0.5, min(1.0, 6 / float(np.sqrt(shape.max())))  # some standard deviations at most
    while edge < size:
        points.append(edge * (1 + growth * (1 + _NODES) / 2))
        weights.append(edge * growth * _WEIGHTS / 2)
        edge *= 1 + growth
    share = np.exp(-shape * np.log((alpha + T) / (alpha + t_x)))
    for j in range(k):
        for i, weight in zip(np.concatenate(points), np.concatenate(weights), strict=True):
            stay = np.exp(gammaln(b + i - 1) - gammaln(b) + gammaln(a + b) - gammaln(a + b + i - 1))
            total += weight * share * stay * betainc(i * k - j, shape + j, success)
        share = share * (T - t_x) / (alpha + T) * (shape + j) / (j + 1)
    return total
