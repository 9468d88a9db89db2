"""What churn can be about, for the one contest of `ml.churn.training`.

The two kinds are in `ml.churn.purchases` and `ml.churn.contracts`.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol

POPULATION: Final = "base_rate"
"""What serves where no rule does; every kind has it."""


class Maker(Protocol):
    """Gives an unfitted candidate by its name."""

    def __call__(self, name: str, *, seed: int, horizon_days: int) -> Any: ...  # noqa: D102 - the class says it


@dataclass(frozen=True)
class Kind:
    """Candidates and how each is made (challengers simplest first), and what is said and serves without a contest."""

    challengers: tuple[str, ...]
    blended: tuple[str, ...]
    rules: tuple[str, ...]
    simplest: str
    too_short: str
    has_purchases: bool
    make: Maker
