"""Who responds once contacted: the rules, and the models that must beat them.

Those contacted were chosen by somebody, for reasons; what is learned from them is about people chosen like them.
"""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator

from ml.campaigns.inputs import Inputs
from ml.campaigns.linear import Linear

Array = npt.NDArray[np.float64]

BASE_RATE: Final = "base_rate"
PAST_RESPONSE: Final = "past_response_rate"
RFM: Final = "rfm"
RULES: Final = (BASE_RATE, PAST_RESPONSE, RFM)
LOGISTIC: Final = "logistic"
MODELS: Final = (LOGISTIC,)

PRIOR_CONTACTS: Final = 5.0
"""Contacts of the base rate that a customer's own are weighed against."""


class BaseRate(BaseEstimator):
    """The rate of the campaign's kind in training; of a kind that was not there, everybody's."""

    def fit(self, known: pl.DataFrame, responded: Array) -> Self:
        """Remember the rates."""
        rates = pl.DataFrame({"kind": known["campaign_kind"].fill_null(""), "rate": responded})
        found = rates.group_by("kind").agg(pl.col("rate").mean()).sort("kind")
        self.rates_ = {kind: round(rate, 9) for kind, rate in found.iter_rows()}
        self.overall_ = round(float(responded.mean()), 9)
        return self

    def predict(self, known: pl.DataFrame) -> Array:
        """The probability of each contact."""
        kinds = known["campaign_kind"].fill_null("")
        return np.array([self.rates_.get(kind, self.overall_) for kind in kinds], dtype=np.float64)


class PastResponse(BaseEstimator):
    """The customer's own earlier answers per contact, weighed against PRIOR_CONTACTS at the kind's rate."""

    def fit(self, known: pl.DataFrame, responded: Array) -> Self:
        """Remember the rates."""
        self.base_ = BaseRate().fit(known, responded)
        return self

    def predict(self, known: pl.DataFrame) -> Array:
        """The probability of each contact."""
        answers, contacts = (known[f"earlier_{name}_count"].to_numpy() for name in ("response", "contact"))
        return np.asarray((answers + PRIOR_CONTACTS * self.base_.predict(known)) / (contacts + PRIOR_CONTACTS))


class Rfm(BaseEstimator):
    """Quintiles of recency, frequency and amount added up (3 to 15), and the rate that goes with the sum, on a line.

    Who never bought is in the lowest of all three.
    """

    def fit(self, known: pl.DataFrame, responded: Array) -> Self:
        """Remember the quintiles and the line."""
        self.cuts_ = [np.nanquantile(values, (0.2, 0.4, 0.6, 0.8)) for values in _measures(known)]
        self.line_ = Linear(is_truth=True, inputs=_ONLY_SUM, regularisation=1.0).fit(self._sums(known), responded)
        return self

    def predict(self, known: pl.DataFrame) -> Array:
        """The probability of each contact."""
        found: Array = self.line_.predict(self._sums(known))
        return found

    def _sums(self, known: pl.DataFrame) -> pl.DataFrame:
        scores = [
            np.where(np.isnan(values), 1, 1 + np.searchsorted(cuts, values, side="right"))
            for cuts, values in zip(self.cuts_, _measures(known), strict=True)
        ]
        return pl.DataFrame({"score": np.sum(scores, axis=0).astype(np.float64)})


_ONLY_SUM: Final = Inputs()


def _measures(known: pl.DataFrame) -> list[Array]:
    columns = (-pl.col("recency_days"), pl.col("frequency_count"), pl.col("monetary_amount"))
    found = [known.select(column.cast(pl.Float64)).to_series().fill_null(np.nan).to_numpy() for column in columns]
    return [values if np.isfinite(values).any() else np.zeros(len(values)) for values in found]


def make_candidate(name: str) -> Any:
    """An unfitted candidate by name."""
    return {BASE_RATE: BaseRate, PAST_RESPONSE: PastResponse, RFM: Rfm}.get(name, _logistic)()


def _logistic() -> Linear:
    return Linear(is_truth=True)


TRUSTED_TYPES: Final = (
    "ml.campaigns.inputs.Inputs",
    "ml.campaigns.linear.Linear",
    "ml.campaigns.response.BaseRate",
    "ml.campaigns.response.PastResponse",
    "ml.campaigns.response.Rfm",
)
