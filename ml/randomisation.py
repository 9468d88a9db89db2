"""Whether arms hold the shares that chance was to give them: what the data may say against a declared random draw."""

from collections.abc import Sequence
from typing import Final

from scipy import special

MISMATCH: Final = 0.001
"""Below it the arms do not hold their shares: Fabijan et al. (2019), Diagnosing sample ratio mismatch in online
controlled experiments, KDD. Such an experiment says nothing, whatever its metrics look like."""


def sample_ratio(counts: Sequence[int], shares: Sequence[float]) -> float | None:
    """P-value of so many customers in the arms if each had its share (chi-square); none where nobody is in any."""
    total = sum(counts)
    if not total:
        return None
    expected = [total * share / sum(shares) for share in shares]
    distance = sum((count - due) ** 2 / due for count, due in zip(counts, expected, strict=True))
    return float(special.chdtrc(len(counts) - 1, distance))
