"""What churn models look at: CUSTOMER_FEATURES in plain units, and as the matrix that is fitted.

Fitting belongs to the candidates; a rule reads the one column it is named after.
"""

from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin

from ml.schemas import WINDOWS_DAYS

Array = npt.NDArray[np.float64]

_SHARES: Final = ("discount_share", "return_share", "weekend_share", "evening_share")
_SKEWED: Final = (
    "recency_days",
    "frequency_count",
    "monetary_amount",
    "tenure_days",
    "purchase_day_count",
    "average_order_amount",
    "average_line_count",
    "gap_mean_days",
    "gap_median_days",
    "gap_deviation_days",
    "last_gap_days",
    *(f"purchase_count_{days}_days" for days in WINDOWS_DAYS),
    *(f"net_amount_{days}_days" for days in WINDOWS_DAYS),
)
_PROBABILITY: Final = "silence_probability"
_LOWEST: Final = 1e-4


def _ratio(above: str, below: str) -> pl.Expr:
    return (pl.col(above) + 1) / (pl.col(below) + 1)


_RATIOS: Final = {
    "recency_per_gap": _ratio("recency_days", "gap_mean_days"),
    "recency_per_median_gap": _ratio("recency_days", "gap_median_days"),
    "recency_per_last_gap": _ratio("recency_days", "last_gap_days"),
    "recency_per_tenure": _ratio("recency_days", "tenure_days"),
    "gap_deviation_per_gap": _ratio("gap_deviation_days", "gap_mean_days"),
    "purchase_days_per_tenure": _ratio("purchase_day_count", "tenure_days"),
    "recent_share_of_purchases": _ratio("purchase_count_30_days", "purchase_count_90_days"),
}


class PurchaseInputs(TransformerMixin, BaseEstimator):
    """CUSTOMER_FEATURES with the expectations of a purchase model, to one column a feature.

    Shares stay as they are, the probability of silence becomes log-odds, everything skewed a signed log of 1 + size.
    """

    def fit(self, features: pl.DataFrame, churned: Array | None = None) -> Self:  # noqa: ARG002 - scikit-learn's shape
        """Remember the features, which of them owns each column of the matrix, and how many columns may bend: all."""
        self.names_ = [*_SHARES, *_SKEWED, *_RATIOS, _PROBABILITY]
        self.owners_ = np.arange(len(self.names_))
        self.bent_count_ = len(self.names_)
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """The features in plain units, one column each, null where undefined."""
        return features.select(
            *(pl.col(name).cast(pl.Float64) for name in (*_SHARES, *_SKEWED)),
            **{name: ratio.cast(pl.Float64) for name, ratio in _RATIOS.items()},
            **{_PROBABILITY: pl.col(_PROBABILITY).cast(pl.Float64)},
        )

    def transform(self, features: pl.DataFrame) -> Array:
        """Shape (customers, features); NaN where undefined."""
        skewed = pl.all().exclude(*_SHARES, _PROBABILITY)
        probability = pl.col(_PROBABILITY).clip(_LOWEST, 1 - _LOWEST)
        matrix = self.values(features).with_columns(
            skewed.sign() * skewed.abs().log1p(), (probability / (1 - probability)).log()
        )
        return matrix.cast(pl.Float64).fill_null(np.nan).to_numpy(order="c")
