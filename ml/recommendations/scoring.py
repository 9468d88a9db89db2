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
from ml.recommendations.candidates import PAIRS, parts
from ml.recommendations.purchase_days import own_items
from ml.schemas import Schema, conform, empty

RANKED: Final[Schema] = PAIRS | {"score": pl.Float64, "rank": pl.Int64}
"""Grain: customer x rank, 1 the first."""
RECOMMENDED: Final[Schema] = RANKED | {"because_item": pl.String}
"""`because_item` is the customer's own item that speaks most for one they never bought; null where none does."""


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
    own, speaking = own_items(days, as_of=as_of), _speaking(model.assortment)
    found = [empty(RECOMMENDED)]
    for known in parts(days, model.assortment, as_of=as_of):
        asked = known.join(offered, on="item", how="semi", maintain_order="left")
        if not model.repeats:
            asked = asked.filter(pl.col("day_count") == 0)
        lists = ranked(asked, model.ranking.score(asked), length=length)
        found.append(_with_because(lists, _of_same(own, known), speaking))
    return pl.concat(found)


def _of_same(own: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The rows of those customers, who follow each other: both are of customers in their order."""
    customers = known["customer_id"].unique().sort()
    begin = own["customer_id"].search_sorted(customers[0], side="left")
    return own.slice(begin, own["customer_id"].search_sorted(customers[-1], side="right") - begin)


def _speaking(assortment: Assortment) -> pl.DataFrame:
    """Grain: two items of the pool of which the first speaks for the second: how much, and the first one's place."""
    weights = assortment.co_purchase.tocoo()
    pool = pl.Series(assortment.pool.tolist(), dtype=pl.String)
    columns = {"because_item": pool.gather(weights.row), "item": pool.gather(weights.col), "weight": weights.data}
    return pl.DataFrame({**columns, "place": weights.row}).filter(pl.col("weight") > 0)


def _with_because(lists: pl.DataFrame, own: pl.DataFrame, speaking: pl.DataFrame) -> pl.DataFrame:
    """RECOMMENDED: with the own item that speaks most for what was never bought, where one does."""
    spoken_for = (
        lists.filter(pl.col("day_count") == 0)
        .select("customer_id", "item")
        .join(own.select("customer_id", because_item="item"), on="customer_id")
        .join(speaking, on=["because_item", "item"])
        .sort("weight", "place", descending=[True, False])
        .unique(["customer_id", "item"], keep="first", maintain_order=True)
        .select("customer_id", "item", "because_item")
    )
    return lists.join(spoken_for, on=["customer_id", "item"], how="left", maintain_order="left").pipe(
        conform, RECOMMENDED
    )
