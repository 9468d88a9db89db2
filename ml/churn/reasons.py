"""Why a customer's churn score is what it is, and how far those reasons can be trusted.

Scores are sums of terms (see `ml.churn.calibration`); their words are in `words`.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.churn.calibration import CalibratedChurn
from ml.churn.words import in_words
from ml.schemas import CHURN_REASONS, conform

Array = npt.NDArray[np.float64]

SAMPLE: Final = 1000


def explain(features: pl.DataFrame, model: CalibratedChurn, *, top: int = 3, exact_from: float = 0.0) -> pl.DataFrame:
    """CHURN_REASONS: the `top` largest contributions either way; a rule has one, the base rate none.

    Where the score is not by itself a sum, contributions are exact from the churn probability `exact_from` on, and
    for the others a quicker attribution. `value` is the feature in plain units, null where the customer has none
    (such as a gap after one purchase).
    """
    is_exact = np.ones(features.height, dtype=bool)
    if not model.is_additive:
        is_exact = model.churn_probability(features) >= exact_from
    terms, values = _terms(features, model, is_exact), model.values(features)
    order = np.argsort(-np.abs(terms), axis=1, kind="stable")[:, :top]
    names = np.array(values.columns, dtype=object)
    plain = values.cast(pl.Float64).to_numpy() if values.width else terms
    keys = features.select("as_of_date", "customer_id").with_columns(is_exact=pl.Series(is_exact, dtype=pl.Boolean))
    reasons = [
        keys.with_columns(
            rank=pl.lit(position + 1),
            feature=pl.Series(names[column].tolist(), dtype=pl.String),
            value=pl.Series(np.take_along_axis(plain, column[:, None], axis=1)[:, 0]).fill_nan(None),
            text=_texts(features, names[column]),
            contribution=pl.Series(np.take_along_axis(terms, column[:, None], axis=1)[:, 0]),
        )
        for position, column in enumerate(order.T)
    ]
    if not reasons:
        return pl.DataFrame(schema=CHURN_REASONS)
    return conform(in_words(pl.concat(reasons).sort("as_of_date", "customer_id", "rank")), CHURN_REASONS)


def agreement(features: pl.DataFrame, model: CalibratedChurn) -> float:
    """Share of customers whose quick top reason is the exact one, on up to SAMPLE of them; 1 where all are exact."""
    if model.is_additive:
        return 1.0
    some = features.gather_every(-(-features.height // SAMPLE) or 1)
    return _same([_top(model.terms(some, is_exact=is_exact)) for is_exact in (True, False)])


def stability(today: pl.DataFrame, yesterday: pl.DataFrame, model: CalibratedChurn) -> float:
    """Share of customers of both days, up to SAMPLE of them, whose top reason is the same on both; NaN without any."""
    both = today.join(yesterday.select("customer_id"), on="customer_id", maintain_order="left", how="semi")
    both = both.gather_every(-(-both.height // SAMPLE) or 1)
    before = both.select("customer_id").join(yesterday, on="customer_id", maintain_order="left", how="left")
    if not model.values(both).width:
        return float("nan")
    return _same([_top(model.terms(day, is_exact=model.is_additive)) for day in (both, before.select(both.columns))])


def _terms(features: pl.DataFrame, model: CalibratedChurn, is_exact: npt.NDArray[np.bool_]) -> Array:
    if is_exact.all():
        return model.terms(features)
    terms = model.terms(features, is_exact=False)
    if is_exact.any():
        terms[is_exact] = model.terms(features.filter(pl.Series(is_exact)))
    return terms


def _texts(features: pl.DataFrame, names: npt.NDArray[np.object_]) -> pl.Series:
    """The category behind one reason a customer; null where the feature is a number."""
    texts = np.full(features.height, None, dtype=object)
    for name in set(names.tolist()):
        if features.schema.get(name) == pl.String:
            mine = names == name
            texts[mine] = np.array(features[name].to_list(), dtype=object)[mine]
    return pl.Series(texts.tolist(), dtype=pl.String)


def _top(terms: Array) -> npt.NDArray[np.int64]:
    return np.asarray(np.abs(terms).argmax(axis=1))


def _same(tops: list[npt.NDArray[np.int64]]) -> float:
    return float((tops[0] == tops[1]).mean()) if len(tops[0]) else float("nan")
