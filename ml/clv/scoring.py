"""CLV predictions: features of one bucket in, rows out, no fitting.

Each row depends on its own features only, to the last digit.
"""

import polars as pl

from ml.clv.leveling import LeveledClv
from ml.gate import ServedBy
from ml.schemas import CLV_PREDICTIONS, conform


def score(
    features: pl.DataFrame,
    model: LeveledClv,
    *,
    horizon_days: int,
    served_by: ServedBy,
    model_version: str,
    is_stale: bool = False,
) -> pl.DataFrame:
    """CLV_PREDICTIONS in the order of `features`; `alive_probability` is null where a rule serves."""
    predicted = model.predict(features, horizon_days=horizon_days)
    return conform(
        pl.concat([features.select("as_of_date", "customer_id"), predicted], how="horizontal").with_columns(
            horizon_days=pl.lit(horizon_days),
            served_by=pl.lit(served_by),
            model_version=pl.lit(model_version),
            is_stale=pl.lit(is_stale),
        ),
        CLV_PREDICTIONS,
    )
