"""CUPED: what customers did before explains a part of what they did after, and that part is no news of the arms.

Deng, Xu, Kohavi, Walker (2013), Improving the sensitivity of online controlled experiments by utilizing pre-experiment
data, WSDM. How arms are compared is in `comparison`.
"""

from collections.abc import Sequence

from ml.comparison import Sample
from ml.moments import Moments


def slope(arms: Sequence[Moments]) -> float | None:
    """Theta, pooled within the arms so that no arm's effect is in it; none where the covariate does not vary."""
    spread = sum(arm.covariate_square for arm in arms)
    return sum(arm.product for arm in arms) / spread if spread > 0 else None


def adjusted(arm: Moments, theta: float) -> Sample:
    """The arm's values less theta times the covariate: their differences between arms are those of the values."""
    square = arm.value_square - 2 * theta * arm.product + theta**2 * arm.covariate_square
    return Sample(arm.n, arm.mean - theta * arm.covariate_mean, max(0.0, square / (arm.n - 1)))


def variance_reduction(arms: Sequence[Moments], theta: float) -> float | None:
    """Share of the variance within arms that is gone: the squared correlation; none where nothing varies."""
    before = sum(arm.value_square for arm in arms)
    after = sum(adjusted(arm, theta).variance * (arm.n - 1) for arm in arms)
    return 1 - after / before if before > 0 else None
