"""Which items come into question for a customer, and what is known of each pair: their own, what goes with these, and
what is popular. Ranking them belongs in `rankings`.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.recommendations.assortment import Assortment
from ml.recommendations.purchase_days import own_items, visits
from ml.schemas import Schema, conform, empty
from ml.sums import row_sums

PAIRS: Final[Schema] = {
    "customer_id": pl.String,
    "item": pl.String,
    "day_count": pl.Int64,
    "recency_days": pl.Int64,
    "weight_30": pl.Float64,
    "weight_90": pl.Float64,
    "visit_count": pl.Int64,
    "recent_visit_count": pl.Int64,
    "buyer_share": pl.Float64,
    "recent_buyer_share": pl.Float64,
    "repeat_share": pl.Float64,
    "co_purchase": pl.Float64,
    "affinity": pl.Float64,
}
"""Grain: customer x item that comes into question. `recency_days` is null and `day_count` 0 of what they never bought;
`co_purchase` is EASE's score and `affinity` the factorisation's, both 0 outside the pool."""

CUSTOMERS_AT_A_TIME: Final = 2000
OWN, NEIGHBOURING, POPULAR = 150, 60, 40
"""Items of each kind that come into question, the strongest."""


def pairs(days: pl.DataFrame, assortment: Assortment, *, as_of: date) -> pl.DataFrame:
    """PAIRS of every customer in PURCHASE_DAYS, sorted; each depends on that customer's days alone."""
    own, calls = own_items(days, as_of=as_of), visits(days, as_of=as_of)
    everyone = calls["customer_id"]
    found = [empty(PAIRS)]
    for first in range(0, len(everyone), CUSTOMERS_AT_A_TIME):
        some = everyone.slice(first, CUSTOMERS_AT_A_TIME)
        theirs = own.join(some.to_frame(), on="customer_id", how="semi", maintain_order="left")
        found.append(conform(_pairs(theirs, some, assortment).join(calls, on="customer_id", how="left"), PAIRS))
    return pl.concat(found).sort("customer_id", "item")


def _pairs(own: pl.DataFrame, customers: pl.Series, assortment: Assortment) -> pl.DataFrame:
    bought = assortment.matrix(own)
    spoken_for = np.asarray((bought @ assortment.co_purchase).todense())
    tastes = np.asarray(assortment.matrix(own, values=np.log1p(own["weight_90"].to_numpy())) @ assortment.factors_)
    items = assortment.table()
    proposed = pl.concat([_strongest(own), *_proposed(spoken_for, customers, items)]).unique()
    joined = (
        proposed.join(own, on=["customer_id", "item"], how="left")
        .join(items, on="item", how="left")
        .sort("customer_id", "item")
        .with_columns(pl.col("day_count", "weight_30", "weight_90").fill_null(0))
        # an item that nobody else bought is no more popular than one that two did
        .with_columns(pl.col("buyer_share", "recent_buyer_share").fill_null(0.0), pl.col("repeat_share").fill_null(0.2))
    )
    rows = joined["customer_id"].rank("dense").to_numpy().astype(np.int64) - 1
    return joined.with_columns(
        co_purchase=_at(joined["place"], lambda place, known: spoken_for[rows[known], place]),
        affinity=_at(joined["place"], lambda place, known: row_sums(tastes[rows[known]] * assortment.factors_[place])),
    )


def _at(places: pl.Series, value: Any) -> npt.NDArray[np.float64]:
    """A value of each pair whose item is in the pool, else 0; rounded, so that equal ones tie on any machine."""
    known = places.is_not_null().to_numpy()
    found = np.zeros(len(places))
    found[known] = value(places.drop_nulls().to_numpy(), known)
    return found.round(9)


def _strongest(own: pl.DataFrame) -> pl.DataFrame:
    order = own.sort(["customer_id", "weight_90", "item"], descending=[False, True, False])
    return order.group_by("customer_id", maintain_order=True).head(OWN).select("customer_id", "item")


def _proposed(spoken_for: Any, customers: pl.Series, items: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """For each customer, in order, the items of the pool that their own speak for, and the popular ones."""
    pool = items.filter(pl.col("place").is_not_null())
    count = min(NEIGHBOURING, pool.height)
    if count:
        best = np.argsort(-spoken_for, axis=1, kind="stable")[:, :count]
        chosen = {
            "customer_id": customers.gather(np.repeat(np.arange(len(customers)), count)),
            "item": pool["item"].gather(best.ravel()),
        }
        yield pl.DataFrame(chosen)
    popular = items.sort(["recent_buyer_share", "item"], descending=[True, False]).head(POPULAR).select("item")
    yield customers.to_frame("customer_id").join(popular, how="cross")
