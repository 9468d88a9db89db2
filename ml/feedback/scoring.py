"""Messages scored by the model of their language; nothing is fitted here."""

from typing import Any

import polars as pl

from ml.feedback_schemas import FEEDBACK_SCORES
from ml.schemas import conform


def score(messages: pl.DataFrame, model: Any, *, served_by: str, model_version: str, is_stale: bool) -> pl.DataFrame:
    """FEEDBACK_SCORES of messages of one language, with `as_of_date`, by its fitted CalibratedSentiment."""
    probability = pl.Series(model.satisfied_probability(messages)).round(9)
    return conform(
        messages.with_columns(
            satisfied_probability=probability,
            sentiment=pl.when(probability >= model.threshold_).then(pl.lit("positive")).otherwise(pl.lit("negative")),
            served_by=pl.lit(served_by),
            model_version=pl.lit(model_version),
            is_stale=pl.lit(is_stale),
        ),
        FEEDBACK_SCORES,
    )
