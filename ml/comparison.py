"""Two arms compared: a difference with its interval and p-value, read once at the end or at any time.

Equations are beside the lines; which arms and metrics are compared belongs to the caller.
"""

import math
from dataclasses import dataclass

from scipy import special

from ml.moments import Moments


@dataclass(frozen=True)
class Comparison:
    """A difference from the control, its interval, and the p-value of there being none."""

    effect: float
    lower: float
    upper: float
    p_value: float


@dataclass(frozen=True)
class Sample:
    """Customers, mean and variance of one arm."""

    n: int
    mean: float
    variance: float


def welch(arm: Sample, control: Sample, *, confidence: float) -> Comparison | None:
    """Difference of means of two samples of unequal variance; none where nothing varies.

    Welch (1947), The generalization of "Student's" problem when several different population variances are involved;
    degrees of freedom as by Satterthwaite.
    """
    a, b = arm.variance / arm.n, control.variance / control.n
    if a + b <= 0:
        return None
    freedom = (a + b) ** 2 / (a**2 / (arm.n - 1) + b**2 / (control.n - 1))
    effect, error = arm.mean - control.mean, math.sqrt(a + b)
    half = float(special.stdtrit(freedom, (1 + confidence) / 2)) * error
    return Comparison(effect, effect - half, effect + half, float(2 * special.stdtr(freedom, -abs(effect) / error)))


def proportions(arm: Moments, control: Moments, *, confidence: float) -> Comparison | None:
    """Difference of two shares; none where all or nobody of both arms did it.

    The interval is the hybrid score interval of Newcombe (1998), Interval estimation for the difference between
    independent proportions, method 10; the p-value is Pearson's chi-square's, without continuity correction.
    """
    both = (arm.positive + control.positive) / (arm.n + control.n)
    if not 0 < both < 1:
        return None
    z = float(special.ndtri((1 + confidence) / 2))
    p, q = arm.positive / arm.n, control.positive / control.n
    (p_lower, p_upper), (q_lower, q_upper) = (_wilson(one, z) for one in (arm, control))
    effect = p - q
    return Comparison(
        effect,
        effect - math.hypot(p - p_lower, q_upper - q),
        effect + math.hypot(p_upper - p, q - q_lower),
        float(2 * special.ndtr(-abs(effect) / math.sqrt(both * (1 - both) * (1 / arm.n + 1 / control.n)))),
    )


def _wilson(arm: Moments, z: float) -> tuple[float, float]:
    """The score interval of one share: Wilson (1927)."""
    centre = arm.positive + z * z / 2
    half = z * math.sqrt(arm.positive * (arm.n - arm.positive) / arm.n + z * z / 4)
    return (centre - half) / (arm.n + z * z), (centre + half) / (arm.n + z * z)


def anytime(arm: Sample, control: Sample, *, confidence: float, planned_customers: int) -> Comparison | None:
    """Difference of means that may be looked at on any day, and stopped on by what it shows; none where nothing varies.

    The normal mixture of Robbins (1970) as a sequential test (mSPRT: Johari, Koomen, Pekelis, Walsh 2022, Always valid
    inference, Operations Research 70(3)) and an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy,
    Ramdas 2024, Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 52(6)). The
    mixing variance is about the narrowest at `planned_customers` of both arms: chosen beforehand, never by the outcome.
    """
    variance = arm.variance / arm.n + control.variance / control.n
    if variance <= 0:
        return None
    surprise = -2 * math.log(1 - confidence)
    ratio = (
        (arm.n + control.n) / planned_customers * (surprise + math.log1p(surprise))
    )  # mixing variance to the error's
    effect = arm.mean - control.mean
    half = math.sqrt(variance * (1 + 1 / ratio) * (math.log1p(ratio) + surprise))
    log_likelihood_ratio = effect**2 / (2 * variance) * ratio / (1 + ratio) - math.log1p(ratio) / 2
    return Comparison(effect, effect - half, effect + half, math.exp(-max(0.0, log_likelihood_ratio)))
