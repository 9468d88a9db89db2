"""Published scores graded by what happened: the ledger's batches beside their matured outcomes.

Which batches exist, and where they are kept, does not belong here.
"""

from datetime import date, timedelta

import polars as pl

from ml.metrics import CHURN_METRICS, CLV_METRICS, calibration_in_the_large
from ml.schemas import SCORE_OUTCOMES, conform, empty

_GRADED = {
    "churn": (
        "churn_probability",
        "is_churned",
        CHURN_METRICS | {"calibration_in_the_large": calibration_in_the_large},
    ),
    "clv": ("expected_amount", "future_amount", CLV_METRICS),
}


def grade(model: str, scores: pl.DataFrame, outcomes: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
    """SCORE_OUTCOMES of one batch: CHURN_SCORES or CLV_PREDICTIONS of one day and horizon, and customer_id + LABELS.

    A customer without an outcome (erased since) is left out. Metrics that are undefined have no value. A batch whose
    rows say `is_backfilled` is graded as such.
    """
    predicted, actual, metrics = _GRADED[model]
    joined = scores.join(outcomes, on="customer_id").sort("customer_id")
    if joined.is_empty():
        return empty(SCORE_OUTCOMES)
    truth = joined[actual].cast(pl.Float64).to_numpy()
    guess = joined[predicted].to_numpy()
    scored: date = joined["as_of_date"][0]
    rows = pl.DataFrame(
        {"metric": list(metrics), "value": [metric(truth, guess) for metric in metrics.values()]}
    ).with_columns(
        pl.col("value").fill_nan(None),
        model=pl.lit(model),
        model_version=pl.lit(joined["model_version"][0]),
        horizon_days=pl.lit(horizon_days),
        scored_as_of_date=pl.lit(scored),
        matured_date=pl.lit(scored + timedelta(days=horizon_days)),
        customer_count=pl.lit(joined.height),
        is_backfilled=pl.lit("is_backfilled" in joined.columns and bool(joined["is_backfilled"][0])),
    )
    return conform(rows, SCORE_OUTCOMES)
