"""The purchase model that these customers allow: families are tried in order and the first sound fit is kept.

Judging by outcomes belongs to the model families: here only the fit itself is looked at.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from ml.btyd.bg_nbd import BgNbd
from ml.btyd.mbg_cnbd_k import MbgCnbdK
from ml.btyd.mbg_nbd import MbgNbd
from ml.btyd.pareto_nbd import ParetoNbd

Array = npt.NDArray[np.float64]


class Purchases(Protocol):
    """What every model of purchases of this package can do."""

    is_sound_: bool
    message_: str
    log_likelihood_: float

    def fit(self, X: Any) -> Self:
        """Maximum likelihood."""

    def alive_probability(self, X: Any) -> Array:
        """P(alive at T)."""

    def expected_purchases(self, X: Any, *, horizon: float) -> Array:
        """Purchases in the horizon after T."""

    def no_purchase_probability(self, X: Any, *, horizon: float) -> Array:
        """P(no purchase in the horizon after T)."""


class Trial(NamedTuple):
    """One family, if its fit was sound, and what it said."""

    family: str
    is_sound: bool
    message: str


FAMILIES: Final[dict[str, tuple[str, type[Purchases]]]] = {
    "bg_nbd": ("BG/NBD", BgNbd),
    "mbg_nbd": ("MBG/NBD", MbgNbd),
    "pareto_nbd": ("Pareto/NBD", ParetoNbd),
    "mbg_cnbd_k": ("MBG/CNBD-k", MbgCnbdK),
}


class PurchaseModel(BaseEstimator):
    """The first of `families` whose fit is sound; without one, that of the highest likelihood, and it says so.

    X is as the families take it: x, t_x and T, and as a fourth column if known the sum of log gaps, which
    MBG/CNBD-k alone reads.
    """

    def __init__(self, *, families: Sequence[str] = tuple(FAMILIES)) -> None:
        self.families = families

    def fit(self, X: Any, y: None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """`family_` and `model_` are what is kept, `tried_` what was fitted on the way, `message_` why.

        Families after the first sound one are not fitted.

        Raises:
            ValueError: no family or an unknown one is asked for, or X is not a table of histories.
        """
        unknown = [family for family in self.families if family not in FAMILIES]
        if unknown or not self.families:
            raise ValueError(f"families must be some of {', '.join(FAMILIES)}, not {', '.join(unknown) or 'none'}")
        self.tried_: list[Trial] = []
        fitted: list[Purchases] = []
        for family in self.families:
            model = FAMILIES[family][1]().fit(X)
            fitted.append(model)
            self.tried_.append(Trial(family, model.is_sound_, model.message_))
            if model.is_sound_:
                break
        is_sound = self.tried_[-1].is_sound
        kept = len(fitted) - 1 if is_sound else int(np.argmax([_rank(model) for model in fitted]))
        self.family_, self.model_, self.is_sound_ = self.tried_[kept].family, fitted[kept], is_sound
        self.message_ = _explained(self.tried_, kept=kept)
        return self

    def alive_probability(self, X: Any) -> Array:
        """P(alive at T | x, t_x, T), shape (customers,)."""
        return self.model_.alive_probability(X)

    def expected_purchases(self, X: Any, *, horizon: float) -> Array:
        """E[Y(t) | x, t_x, T], purchases in the `horizon` after T; all zeros are a new customer."""
        return self.model_.expected_purchases(X, horizon=horizon)

    def no_purchase_probability(self, X: Any, *, horizon: float) -> Array:
        """P(Y(t) = 0 | x, t_x, T), shape (customers,)."""
        return self.model_.no_purchase_probability(X, horizon=horizon)


def _rank(model: Purchases) -> float:
    """The likelihood, which all families measure alike, to 9 digits: among equals the first is kept."""
    return float(f"{model.log_likelihood_:.9g}") if np.isfinite(model.log_likelihood_) else -np.inf


def _explained(tried: Sequence[Trial], *, kept: int) -> str:
    """Which family is used and why the others are not, in plain sentences."""
    name = FAMILIES[tried[kept].family][0]
    refused = [
        f"{FAMILIES[trial.family][0]} was refused: {trial.message}" for at, trial in enumerate(tried) if at != kept
    ]
    if tried[kept].is_sound:
        return " ".join([f"{name} is used: {tried[kept].message}", *refused])
    last_resort = (
        f"No purchase model fits these customers soundly. {name} is the last resort, with the highest likelihood"
    )
    return " ".join([f"{last_resort}: {tried[kept].message}", *refused])
