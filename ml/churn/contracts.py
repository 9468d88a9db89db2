"""What a contest about contracts is made of: its candidates and its rules.

The contest itself is the one of `ml.churn.training`; what is known of a contract on a day is `ml.contracts`'.
"""

from typing import Any, Final

from ml.churn.blend import BlendedChurn
from ml.churn.boosting import BoostedChurn
from ml.churn.contract_inputs import ContractInputs
from ml.churn.contract_rules import ContractNumberRule, PlanRateRule
from ml.churn.kind import POPULATION, Kind
from ml.churn.linear import LogisticChurn
from ml.churn.rules import BaseRateRule
from ml.churn.survival import SurvivalChurn

CHALLENGERS: Final = ("logistic_regression", "spline_regression", "survival", "gradient_boosting", "blend")
"""Simplest first."""
BLENDED: Final = ("spline_regression", "gradient_boosting")
RULES: Final = ("tenure", "monthly_amount", "plan_rate")


def make_contract_candidate(name: str, *, seed: int, horizon_days: int) -> Any:
    """An unfitted candidate by name."""
    if name == "blend":
        return BlendedChurn([make_contract_candidate(part, seed=seed, horizon_days=horizon_days) for part in BLENDED])
    inputs = ContractInputs()
    return {
        "logistic_regression": LogisticChurn(inputs=inputs),
        "spline_regression": LogisticChurn(inputs=inputs, knots=5),
        "survival": SurvivalChurn(inputs=inputs, horizon_days=horizon_days),
        "gradient_boosting": BoostedChurn(inputs=inputs, seed=seed, trees=200, leaves=4, share=0.2),
        "tenure": ContractNumberRule("contract_tenure_days"),
        "monthly_amount": ContractNumberRule("monthly_amount"),
        "plan_rate": PlanRateRule(),
        POPULATION: BaseRateRule(),
    }[name]


CONTRACTS: Final = Kind(
    challengers=CHALLENGERS,
    blended=BLENDED,
    rules=RULES,
    simplest="tenure",
    too_short="the ends of contracts on record reach back less than twice the horizon",
    has_purchases=False,
    make=make_contract_candidate,
)
"""Who of those with a running contract will be without one within the horizon."""
