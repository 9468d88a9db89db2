"""What raises and what lowers satisfaction, in words: of the model that serves a language, and of declared aspects.

A word or aspect is told only where enough customers used it, rated; a word only where the plain share of satisfied
messages with it agrees with the model's weight, beyond chance. It goes with the rating; that it brings it about is not
shown.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import polars as pl

from ml.feedback.sentiment import LEAST_WRITERS, CalibratedSentiment, SentimentModel
from ml.feedback_schemas import FEEDBACK_DRIVERS
from ml.schemas import conform, empty

TOLD: Final = 15
"""Words of each direction and language, at most."""
Z: Final = 1.959964


def find_drivers(rated: pl.DataFrame, aspects: pl.DataFrame, serving: CalibratedSentiment | None) -> pl.DataFrame:
    """FEEDBACK_DRIVERS of one language, from its rated MESSAGES with language and as_of_date, and FEEDBACK_ASPECTS.

    The effect of a word is what it adds to the model's log-odds in a message that holds it, on average; that of an
    aspect the logarithm of the odds ratio of messages with and without it (a half added to each count). Words only
    where a model of words serves.
    """
    rated = rated.sort("feedback_id")
    rows = [*_aspect_rows(rated, aspects)]
    if serving is not None and isinstance(serving.candidate_, SentimentModel):
        rows += _word_rows(rated, serving)
    if not rows or rated.is_empty():
        return empty(FEEDBACK_DRIVERS)
    average = float(rated["is_satisfied"].sum()) / rated.height
    ranked = (
        pl.DataFrame(rows, infer_schema_length=None)
        .with_columns(
            direction=pl.when(pl.col("effect") < 0).then(pl.lit("lowers")).otherwise(pl.lit("raises")),
            effect=pl.col("effect").round(9),
            size=pl.col("effect").abs().round(9),
        )
        .filter(
            pl.col("customer_count") >= LEAST_WRITERS,
            pl.col("size") > 0,
            (pl.col("kind") == "aspect")
            | (pl.col("effect") > 0) & (pl.col("satisfied_share_lower") > average)
            | (pl.col("effect") < 0) & (pl.col("satisfied_share_upper") < average),
        )
        .sort("kind", "direction", "size", "term", descending=[False, False, True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1).over("kind", "direction"))
        .filter(pl.col("rank") <= TOLD)
    )
    day, language = rated["as_of_date"][0], rated["language"][0]
    said = pl.struct("kind", "term", "satisfied_share").map_elements(lambda row: _words(row, average), pl.String)
    named = ranked.with_columns(as_of_date=pl.lit(day), language=pl.lit(language), words=said)
    return conform(named, FEEDBACK_DRIVERS)


def _word_rows(rated: pl.DataFrame, serving: CalibratedSentiment) -> Iterator[dict[str, Any]]:
    model = serving.candidate_
    values = model.values(rated).tocsc()
    for number in range(model.word_count_):
        column = values[:, [number]].tocoo()
        if column.nnz:
            effect = serving.slope_ * model.weights_[number] * float(column.data.mean())
            term = str(model.terms_[number])
            yield {"kind": "word", "term": term, "effect": effect, **_counts(rated[np.sort(column.row).tolist()])}


def _aspect_rows(rated: pl.DataFrame, aspects: pl.DataFrame) -> Iterator[dict[str, Any]]:
    for aspect in aspects["aspect"].unique().sort():
        about = aspects.filter(pl.col("aspect") == aspect)
        mine = rated.join(about, on="feedback_id", how="semi")
        rest = rated.join(about, on="feedback_id", how="anti")
        if mine.height:
            yield {"kind": "aspect", "term": aspect, "effect": _log_odds(mine) - _log_odds(rest), **_counts(mine)}


def _log_odds(messages: pl.DataFrame) -> float:
    satisfied = int(messages["is_satisfied"].sum())
    return float(np.log((satisfied + 0.5) / (messages.height - satisfied + 0.5)))


def _counts(messages: pl.DataFrame) -> dict[str, Any]:
    """How often it is said, and Wilson's (1927) interval of the share of satisfied messages."""
    count, satisfied = messages.height, float(messages["is_satisfied"].sum())
    centre, spread = count + Z**2, Z * float(np.sqrt(satisfied * (count - satisfied) / count + Z**2 / 4))
    return {
        "customer_count": messages["customer_id"].n_unique(),
        "message_count": count,
        "satisfied_share": round(satisfied / count, 9),
        "satisfied_share_lower": round((satisfied + Z**2 / 2 - spread) / centre, 9),
        "satisfied_share_upper": round((satisfied + Z**2 / 2 + spread) / centre, 9),
    }


def _words(row: dict[str, Any], average: float) -> str:
    what = f"'{row['term']}'" if row["kind"] == "word" else row["term"].replace("_", " ")
    verb = "Messages with" if row["kind"] == "word" else "Messages about"
    return f"{verb} {what}: {row['satisfied_share']:.0%} satisfied, of all {average:.0%}."
