"""What a contact changes of each customer, learned where chance decided who was contacted.

Two learners and the ranking that they must beat: by who responds once contacted, whether the contact changes that or
not. How well a ranking does is in `qini`.
"""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, clone

from ml.campaigns.linear import Linear

Array = npt.NDArray[np.float64]

TWO_MODELS: Final = "two_models"
CLASS_TRANSFORMATION: Final = "class_transformation"
LEARNERS: Final = (TWO_MODELS, CLASS_TRANSFORMATION)
"""Simplest first."""
RESPONSE: Final = "response"
AVERAGE: Final = "average_effect"
RULES: Final = (RESPONSE, AVERAGE)
"""To contact whoever is likeliest to respond, or anybody."""


class TwoModels(BaseEstimator):
    """One model of those contacted and one of the controls: the uplift is their difference.

    The T-learner of Künzel, Sekhon, Bickel and Yu (2019), Metalearners for estimating heterogeneous treatment effects
    using machine learning, PNAS 116(10).
    """

    def __init__(self, *, model: Any) -> None:
        self.model = model

    def fit(self, known: pl.DataFrame, treated: Array, outcome: Array) -> Self:
        """Fit on customers of both sides; `treated` is 1 of those contacted and 0 of controls."""
        self.treated_, self.control_ = (
            clone(self.model).fit(known.filter(treated == side), outcome[treated == side]) for side in (1, 0)
        )
        return self

    def predict(self, known: pl.DataFrame) -> Array:
        """What the contact adds to the outcome of each customer."""
        found: Array = self.treated_.predict(known) - self.control_.predict(known)
        return found


class ClassTransformation(BaseEstimator):
    """One model of an outcome whose mean, given what is known, is the uplift.

    Of a truth: whether a customer did it when contacted, or did not when left alone, both sides weighing the same
    (Jaskowski and Jaroszewicz 2012, Uplift modeling for clinical trial data, ICML workshop); the uplift is twice its
    probability less 1. Of an amount: the transformed outcome of Athey and Imbens (2016), Recursive partitioning for
    heterogeneous causal effects, PNAS 113(27).
    """

    def __init__(self, *, model: Any) -> None:
        self.model = model

    def fit(self, known: pl.DataFrame, treated: Array, outcome: Array) -> Self:
        """Fit on customers of both sides; `treated` is 1 of those contacted and 0 of controls."""
        share = float(treated.mean())
        if self.model.is_truth:
            weights = np.where(treated == 1, 0.5 / share, 0.5 / (1 - share))
            transformed = np.where(treated == 1, outcome, 1 - outcome)
            self.model_ = clone(self.model).fit(known, transformed, weights)
        else:
            transformed = outcome * (treated - share) / (share * (1 - share))
            self.model_ = clone(self.model).fit(known, transformed)
        return self

    def predict(self, known: pl.DataFrame) -> Array:
        """What the contact adds to the outcome of each customer."""
        found: Array = self.model_.predict(known)
        return 2 * found - 1 if self.model.is_truth else found


class Response(BaseEstimator):
    """What those contacted do: a ranking of customers that knows of no controls, and no uplift."""

    def __init__(self, *, model: Any) -> None:
        self.model = model

    def fit(self, known: pl.DataFrame, treated: Array, outcome: Array) -> Self:
        """Fit on those contacted."""
        self.model_ = clone(self.model).fit(known.filter(treated == 1), outcome[treated == 1])
        return self

    def predict(self, known: pl.DataFrame) -> Array:
        """The outcome of each customer once contacted."""
        found: Array = self.model_.predict(known)
        return found


class AverageEffect(BaseEstimator):
    """The same for everybody: the difference of means."""

    def fit(self, known: pl.DataFrame, treated: Array, outcome: Array) -> Self:  # noqa: ARG002 - as every learner
        """Remember the difference."""
        self.effect_ = float(np.round(outcome[treated == 1].mean() - outcome[treated == 0].mean(), 9))
        return self

    def predict(self, known: pl.DataFrame) -> Array:
        """The difference, for each customer."""
        return np.full(known.height, self.effect_)


class Levelled(BaseEstimator):
    """A learner whose differences between customers are shrunk to what held of customers that it had not seen.

    The uplift is the average effect plus `slope` times what the learner says above its mean: the best linear predictor
    of Chernozhukov, Demirer, Duflo and Fernández-Val (2018), Generic machine learning inference on heterogeneous
    treatment effects, NBER 24678.
    """

    def __init__(self, learner: Any, *, response: Any, effect: float, slope: float, mean: float) -> None:
        self.learner = learner
        self.response = response
        self.effect = effect
        self.slope = slope
        self.mean = mean

    def predict(self, known: pl.DataFrame) -> Array:
        """What the contact adds to the outcome of each customer."""
        return np.asarray(self.effect + self.slope * (self.learner.predict(known) - self.mean))


def make_learner(name: str, *, is_truth: bool) -> Any:
    """An unfitted learner or rule by name; of an outcome that is 0 or 1, or of an amount."""
    if name == AVERAGE:
        return AverageEffect()
    kind = {TWO_MODELS: TwoModels, CLASS_TRANSFORMATION: ClassTransformation, RESPONSE: Response}[name]
    return kind(model=Linear(is_truth=is_truth))


TRUSTED_TYPES: Final = (
    "ml.campaigns.inputs.Inputs",
    "ml.campaigns.linear.Linear",
    *(f"ml.campaigns.uplift.{name}" for name in ("AverageEffect", "ClassTransformation", "Levelled", "Response")),
    "ml.campaigns.uplift.TwoModels",
)
