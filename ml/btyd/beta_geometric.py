"""The likelihood of BG/NBD and MBG/NBD with its first and second derivatives (Fader, Hardie and Lee 2005, eq. 6).

Sums over customers only: what a fit is, and what it foretells, belongs to `bg_nbd`. With p the probability of
silence between t_x and T of someone who stays and d = a / (b + chances - 1), a history's likelihood is

    G(r + x) / G(r) alpha^r (alpha + t_x)^-(r + x)  *  B(a, b + chances) / B(a, b)  *  (p + d),

p = ((alpha + t_x) / (alpha + T))^(r + x), so that nothing can overflow.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln, polygamma

Array = npt.NDArray[np.float64]

_BLOCK: Final = 8192  # histories at a time: they stay in the cache, and too few for BLAS to start threads


class Likelihood:
    """The mean log-likelihood of one data set; what depends on x alone is done once a value.

    `first_chances` is the number of chances to drop out at the first purchase. One thread works: two spend more
    on handing over Python's lock between operations of microseconds than they gain.
    """

    def __init__(self, x: Array, t_x: Array, T: Array, count: Array | None = None, *, first_chances: int = 0) -> None:
        count = np.ones(len(x)) if count is None else count
        self.size = float(count.sum())
        if (x == np.floor(x)).all():
            by_value = np.bincount(x.astype(np.intp), weights=count)
            self.values = np.flatnonzero(by_value).astype(np.float64)
            self.counts: Array = by_value[by_value > 0].astype(np.float64)
        else:
            self.values, at = np.unique(x, return_inverse=True)
            self.counts = np.bincount(at, weights=count).astype(np.float64)
        self.first_chances = first_chances
        # who had no chance to leave is only known by T
        tried, plain = np.flatnonzero(x + first_chances > 0), np.flatnonzero(x + first_chances == 0)
        self.histories = np.vstack([part[tried] if len(plain) else part for part in (x, t_x, T, count)])
        self.plain_T, self.plain_count = T[plain], count[plain]

    def mean_and_gradient(self, parameters: Array) -> tuple[float, Array]:
        """The mean log-likelihood of a customer and its slopes in r, alpha, a and b."""
        value, gradient, _ = self.mean_and_slopes(parameters)
        return value, gradient

    def mean_and_slopes(self, parameters: Array) -> tuple[float, Array, Array]:
        """The same with second derivatives, of shape (4, 4)."""
        r, alpha = parameters[:2]
        starts = range(0, self.histories.shape[1], _BLOCK)
        blocks = [(parameters, self.first_chances, *self.histories[:, at : at + _BLOCK]) for at in starts]
        sums = [_block(*block) for block in blocks]
        value, gradient, hessian = _by_value(parameters, self.values, self.counts, self.first_chances)
        n, inverse = self.plain_count, 1 / (alpha + self.plain_T)
        log_T = (n * np.log(alpha + self.plain_T)).sum()
        shares = n * inverse
        value += -r * log_T + sum(found[0] for found in sums)
        gradient += [-log_T, -r * shares.sum(), 0, 0]
        hessian[0, 1] -= shares.sum()
        hessian[1, 1] += r * (shares * inverse).sum()
        for _, slopes, curves in sums:
            gradient += slopes
            hessian += curves
        hessian[1, 0] = hessian[0, 1]
        return float(value / self.size), gradient / self.size, hessian / self.size


def _by_value(parameters: Array, x: Array, n: Array, first_chances: int) -> tuple[float, Array, Array]:
    """What is the same for all customers of one x: the factors outside of the brackets but for alpha + t_x."""
    r, alpha, a, b = parameters
    chances, size = x + first_chances, float(n.sum())
    by_rate = gammaln(r + x) - gammaln(r)
    by_chances = gammaln(a + b) - gammaln(a + b + chances) + gammaln(b + chances) - gammaln(b)
    value = float(n @ (by_rate + by_chances)) + size * r * float(np.log(alpha))
    steps_a = n @ (digamma(a + b) - digamma(a + b + chances))
    curve_a = n @ (polygamma(1, a + b) - polygamma(1, a + b + chances))
    gradient = np.array(
        [
            n @ (digamma(r + x) - digamma(r)) + size * np.log(alpha),
            size * r / alpha,
            steps_a,
            steps_a + n @ (digamma(b + chances) - digamma(b)),
        ]
    )
    hessian = np.zeros((4, 4))
    hessian[0, 0] = n @ (polygamma(1, r + x) - polygamma(1, r))
    hessian[0, 1] = size / alpha
    hessian[1, 1] = -size * r / alpha**2
    hessian[2:, 2:] = curve_a
    hessian[3, 3] += n @ (polygamma(1, b + chances) - polygamma(1, b))
    return value, gradient, hessian


def _block(
    parameters: Array, first_chances: int, x: Array, t_x: Array, T: Array, n: Array
) -> tuple[float, Array, Array]:
    """Sums of -(r + x) log(alpha + t_x) + log(p + d) and of its derivatives; w = d / (p + d) is being dead."""
    r, alpha, a, b = parameters
    shape, from_last, from_end = r + x, alpha + t_x, alpha + T
    by_last, by_end = 1 / from_last, 1 / from_end
    log_last = np.log(from_last)
    ratio = np.log(from_end) - log_last
    by_chance = 1 / (b + (first_chances - 1) + x)
    gone = a * by_chance
    either = np.exp(-shape * ratio) + gone
    weight = gone / either
    dead = n * weight
    spread = dead * (1 - weight)
    shrink = by_end - by_last
    moved = shape * shrink
    # slopes of the log odds of being dead: ratio in r, moved in alpha, 1 / a in a, -by_chance in b
    total_dead, total_spread = float(dead.sum()), float(spread.sum())
    ratio_dead, moved_dead, chance_dead = ratio @ dead, moved @ dead, by_chance @ dead
    spread_r, spread_alpha, spread_b = spread * ratio, spread * moved, spread * by_chance
    n_end = n * by_end
    end = float(n_end @ shape)
    log_end = n @ log_last + n @ ratio
    value = float(n @ np.log(either) - (n * shape) @ log_last)
    gradient = np.array([ratio_dead - log_end, moved_dead - end, total_dead / a, -chance_dead])
    curves = np.empty((4, 4))
    curves[0, 0] = spread_r @ ratio
    curves[0, 1] = spread_r @ moved + dead @ shrink - n_end.sum()
    curves[1, 1] = spread_alpha @ moved - (dead * moved) @ (by_end + by_last) + (n_end * by_end) @ shape
    curves[0, 2] = curves[2, 0] = spread_r.sum() / a
    curves[1, 2] = curves[2, 1] = spread_alpha.sum() / a
    curves[2, 2] = (total_spread - total_dead) / a**2
    curves[0, 3] = curves[3, 0] = -(spread_r @ by_chance)
    curves[1, 3] = curves[3, 1] = -(spread_alpha @ by_chance)
    curves[2, 3] = curves[3, 2] = -spread_b.sum() / a
    curves[3, 3] = spread_b @ by_chance + (dead * by_chance) @ by_chance
    curves[1, 0] = curves[0, 1]
    return value, gradient, curves
