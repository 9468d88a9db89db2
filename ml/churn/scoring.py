"""Churn scores: features of one bucket in, rows out, no fitting.

Each row depends on its own features only, to the last digit. Choosing who is eligible does not belong here.
"""

from typing import Final

import polars as pl

from ml.churn.calibration import CalibratedChurn
from ml.gate import ServedBy
from ml.schemas import CHURN_SCORES, conform

RISK_BANDS: Final = (0.2, 0.5)


def score(
    features: pl.DataFrame,
    model: CalibratedChurn,
    *,
    horizon_days: int,
    served_by: ServedBy,
    model_version: str,
    risk_bands: tuple[float, float] = RISK_BANDS,
    is_stale: bool = False,
) -> pl.DataFrame:
    """CHURN_SCORES of eligible customers, in the order of `features`; `risk_band` is low, medium or high.

    Medium starts at the first of `risk_bands`, high at the second.
    """
    medium, high = risk_bands
    probability = pl.col("churn_probability")
    band = pl.when(probability >= high).then(pl.lit("high")).when(probability >= medium).then(pl.lit("medium"))
    scores = features.select("as_of_date", "customer_id").with_columns(
        churn_probability=pl.Series(model.churn_probability(features), dtype=pl.Float64),
        horizon_days=pl.lit(horizon_days),
        served_by=pl.lit(served_by),
        model_version=pl.lit(model_version),
        is_stale=pl.lit(is_stale),
    )
    return conform(scores.with_columns(risk_band=band.otherwise(pl.lit("low"))), CHURN_SCORES)
