"""What a contest about purchases is made of: its candidates and its rules.

The contest itself is the one of `ml.churn.training`; what is known of a customer on a day is `ml.features`'.
"""

from typing import Any, Final

from ml.churn.blend import BlendedChurn, SilenceChurn
from ml.churn.boosting import BoostedChurn
from ml.churn.kind import POPULATION, Kind
from ml.churn.linear import LogisticChurn
from ml.churn.rules import BaseRateRule, OneNumberRule

CHALLENGERS: Final = ("purchase_model", "logistic_regression", "spline_regression", "gradient_boosting", "blend")
"""Simplest first."""
BLENDED: Final = ("logistic_regression", "gradient_boosting", "purchase_model")
RULES: Final = ("recency", "frequency", "own_rhythm")


def make_purchase_candidate(name: str, *, seed: int, horizon_days: int) -> Any:
    """An unfitted candidate by name; the horizon is in the outcomes it is fitted on."""
    if name == "blend":
        return BlendedChurn([make_purchase_candidate(part, seed=seed, horizon_days=horizon_days) for part in BLENDED])
    return {
        "purchase_model": SilenceChurn(),
        "logistic_regression": LogisticChurn(),
        "spline_regression": LogisticChurn(knots=5),
        "gradient_boosting": BoostedChurn(seed=seed),
        "recency": OneNumberRule("recency_days"),
        "frequency": OneNumberRule("frequency_count"),
        "own_rhythm": OneNumberRule("recency_per_gap"),
        POPULATION: BaseRateRule(),
    }[name]


PURCHASES: Final = Kind(
    challengers=CHALLENGERS,
    blended=BLENDED,
    rules=RULES,
    simplest="recency",
    too_short="history is shorter than twice the horizon",
    has_purchases=True,
    make=make_purchase_candidate,
)
"""Who of those that bought lately will not buy within the horizon."""
