"""Recommendations of one bucket of customers: days of purchase in, ranked items with their reasons out, no fitting.

Each row depends on its customer's own days only, to the last digit.
"""

from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator

from ml.recommendations.assortment import Assortment
from ml.recommendations.candidates import CUSTOMERS_AT_A_TIME, PAIRS, pairs
from ml.recommendations.purchase_days import own_items
from ml.schemas import Schema, conform

RANKED: Final[Schema] = PAIRS | {"score": pl.Float64, "rank": pl.Int64}
"""Grain: customer x rank, 1 the first."""
RECOMMENDED: Final[Schema] = RANKED | {"because_item": pl.String}
"""`because_item` is the customer's own item that speaks most for one they never bought; null where none does."""
_ROWS: Final = 4000  # pairs at a time whose reason is looked for


class Recommender(BaseEstimator):
    """What serves: what everybody's purchases say of the items, and a fitted ranking."""

    def __init__(self, assortment: Assortment, ranking: Any, *, repeats: bool) -> None:
        self.assortment = assortment
        self.ranking = ranking
        self.repeats = repeats


TRUSTED_TYPES: Final = (
    "ml.recommendations.assortment.Assortment",
    "ml.recommendations.rankings.FixedRanking",
    "ml.recommendations.rankings.LearnedRanking",
    "ml.recommendations.scoring.Recommender",
)


def ranked(known: pl.DataFrame, scores: npt.NDArray[np.float64], *, length: int) -> pl.DataFrame:
    """RANKED: the `length` best of each customer's PAIRS, sorted; of equal scores the first by name."""
    return (
        known.with_columns(score=pl.Series(scores, dtype=pl.Float64).round(9))
        .sort(["customer_id", "score", "item"], descending=[False, True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("customer_id"))
        .filter(pl.col("rank") <= length)
    ).pipe(conform, RANKED)


def recommend(
    days: pl.DataFrame, model: Recommender, *, as_of: date, length: int, offered: pl.DataFrame
) -> pl.DataFrame:
    """RECOMMENDED of every customer in PURCHASE_DAYS, of `offered` (a row an item) alone."""
    known = pairs(days, model.assortment, as_of=as_of).join(offered, on="item", how="semi", maintain_order="left")
    if not model.repeats:
        known = known.filter(pl.col("day_count") == 0)
    lists = ranked(known, model.ranking.score(known), length=length)
    return conform(lists.with_columns(because_item=_because(lists, days, model.assortment, as_of=as_of)), RECOMMENDED)


def _because(lists: pl.DataFrame, days: pl.DataFrame, assortment: Assortment, *, as_of: date) -> pl.Series:
    """Of each row the own item whose co-purchase weight for it is largest, where it was never bought and one is."""
    found: list[Any] = [None] * lists.height
    own = own_items(days, as_of=as_of)
    places = {item: place for place, item in enumerate(assortment.pool.tolist())}
    weights = assortment.co_purchase.tocsc()
    new = lists.with_row_index("row").filter((pl.col("day_count") == 0) & pl.col("item").is_in(list(places)))
    for part in new["customer_id"].unique().sort().to_frame().iter_slices(CUSTOMERS_AT_A_TIME):
        bought = assortment.matrix(own.join(part, on="customer_id", how="semi", maintain_order="left"))
        rows = dict(zip(part["customer_id"], range(part.height), strict=True))
        asked = new.join(part, on="customer_id", how="semi", maintain_order="left")
        for some in asked.iter_slices(_ROWS):
            columns = [places[item] for item in some["item"]]
            theirs = bought[[rows[customer] for customer in some["customer_id"]]]
            spoken = theirs.multiply(weights[:, columns].T).tocsr()
            best = np.asarray(spoken.argmax(axis=1)).ravel()
            most = spoken.max(axis=1).toarray().ravel()
            for row, place, weight in zip(some["row"], best, most, strict=True):
                found[row] = str(assortment.pool[place]) if weight > 0 else None
    return pl.Series(found, dtype=pl.String)
