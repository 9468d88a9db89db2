"""Churn scores and their reasons: features of one bucket in, rows out, no fitting.

Each row depends on its own features only, to the last digit. Choosing who is eligible does not belong here.
"""

from typing import Final

import numpy as np
import polars as pl

from ml.churn.models import CalibratedChurn
from ml.gate import ServedBy
from ml.schemas import CHURN_REASONS, CHURN_SCORES, conform

RISK_BANDS: Final = (0.2, 0.5)


def score(
    features: pl.DataFrame,
    model: CalibratedChurn,
    *,
    horizon_days: int,
    served_by: ServedBy,
    model_version: str,
    risk_bands: tuple[float, float] = RISK_BANDS,
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
    )
    return conform(scores.with_columns(risk_band=band.otherwise(pl.lit("low"))), CHURN_SCORES)


def explain(features: pl.DataFrame, model: CalibratedChurn, *, top: int = 3) -> pl.DataFrame:
    """CHURN_REASONS: the `top` largest contributions either way, exact; a rule has one, the base rate none.

    `value` is the feature in plain units, null where the customer has none (such as a gap after one
    purchase).
    """
    terms, values = model.terms(features), model.values(features)
    order = np.argsort(-np.abs(terms), axis=1, kind="stable")[:, :top]
    names = np.array(values.columns, dtype=object)
    plain = values.cast(pl.Float64).to_numpy() if values.width else terms
    keys = features.select("as_of_date", "customer_id")
    reasons = [
        keys.with_columns(
            rank=pl.lit(position + 1),
            feature=pl.Series(names[column].tolist(), dtype=pl.String),
            value=pl.Series(np.take_along_axis(plain, column[:, None], axis=1)[:, 0]).fill_nan(None),
            contribution=pl.Series(np.take_along_axis(terms, column[:, None], axis=1)[:, 0]),
            is_exact=pl.lit(True),
        )
        for position, column in enumerate(order.T)
    ]
    if not reasons:
        return pl.DataFrame(schema=CHURN_REASONS)
    return conform(pl.concat(reasons).sort("as_of_date", "customer_id", "rank"), CHURN_REASONS)
