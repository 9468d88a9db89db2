"""Which items come into question for a customer, and what is known of each pair: their own, what goes with these, and
what is popular. Ranking them belongs in `rankings`.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import polars.selectors as cs
from scipy import sparse

from ml.recommendations.assortment import Assortment
from ml.recommendations.purchase_days import own_items, visits
from ml.schemas import Schema, conform, empty
from ml.sums import row_sums

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

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
    return pl.concat([empty(PAIRS), *parts(days, assortment, as_of=as_of)]).sort("customer_id", "item")


def parts(days: pl.DataFrame, assortment: Assortment, *, as_of: date) -> Iterator[pl.DataFrame]:
    """PAIRS of so many customers at a time, without order: all pairs of a bucket would fill any memory."""
    items = assortment.table().with_row_index("number")
    popular = items.sort(["recent_buyer_share", "item"], descending=[True, False]).head(POPULAR)["number"].to_numpy()
    shares = items.select(cs.exclude("place"), pl.col("place").cast(pl.Int64))
    own = own_items(days, as_of=as_of).join(shares, on="item", how="left", maintain_order="left")
    calls = visits(days, as_of=as_of).with_columns(rows=own["customer_id"].rle().struct.field("len").cast(pl.Int64))
    ends = np.append(0, calls["rows"].cum_sum().to_numpy())
    for first in range(0, calls.height, CUSTOMERS_AT_A_TIME):
        some = calls.slice(first, CUSTOMERS_AT_A_TIME).with_columns(row=pl.int_range(pl.len()))
        begin, end = ends[first], ends[first + some.height]
        theirs = own.slice(begin, end - begin).with_columns(row=pl.Series(np.repeat(some["row"], some["rows"])))
        yield conform(_pairs(theirs, some, shares, popular, assortment), PAIRS)


def _pairs(
    own: pl.DataFrame, customers: pl.DataFrame, items: pl.DataFrame, popular: Numbers, assortment: Assortment
) -> pl.DataFrame:
    """Both frames of customers number them by `row`, items by `number` where more than one customer bought them."""
    shape = (customers.height, len(assortment.pool))
    bought = _matrix(own, pl.lit(1.0), shape)
    spoken_for = np.asarray((bought @ assortment.co_purchase).todense())
    tastes = np.asarray(_matrix(own, pl.col("weight_90").log1p(), shape) @ assortment.factors_)
    everyone = customers["row"].to_numpy()
    at, place = np.nonzero(_is_among_largest(spoken_for, min(NEIGHBOURING, shape[1])))
    count = max(1, items.height)
    keys = np.append(at * count + place, (everyone[:, None] * count + popular).ravel())
    proposed = pl.DataFrame({"key": keys}).unique()
    known = own.with_columns(key=pl.col("row") * count + pl.col("number").cast(pl.Int64))
    new = proposed.join(known, on="key", how="anti").select(row=pl.col("key") // count, number=pl.col("key") % count)
    named = new.hstack(items.drop("number")[new["number"]])
    kept = known.filter(_is_strongest() | pl.col("key").is_in(proposed["key"].implode()))
    joined = pl.concat([kept, named], how="diagonal_relaxed").with_columns(
        pl.col("day_count", "weight_30", "weight_90").fill_null(0),
        # an item that nobody else bought is no more popular than one that two did
        pl.col("buyer_share", "recent_buyer_share").fill_null(0.0),
        pl.col("repeat_share").fill_null(0.2),
        customer_id=customers["customer_id"].gather(pl.concat([kept["row"], named["row"]])),
    )
    asked = customers.select("visit_count", "recent_visit_count")[joined["row"]]
    rows = joined["row"].to_numpy()
    return joined.hstack(asked).with_columns(
        co_purchase=_at(joined["place"], lambda place, known: spoken_for[rows[known], place]),
        affinity=_at(joined["place"], lambda place, known: row_sums(tastes[rows[known]] * assortment.factors_[place])),
    )


def _matrix(own: pl.DataFrame, value: pl.Expr, shape: tuple[int, int]) -> Any:
    """Sparse customers x pool: a value for each of a customer's own items that is in the pool."""
    known = own.filter(pl.col("place").is_not_null()).select("row", "place", value=value)
    columns = (known[name].to_numpy() for name in ("value", "row", "place"))
    data, row, place = columns
    return sparse.csr_matrix((data, (row, place)), shape=shape)


def _is_among_largest(values: Array, count: int) -> npt.NDArray[np.bool_]:
    """Of each row the `count` largest; of equal ones the first."""
    if not count:
        return np.zeros(values.shape, dtype=np.bool_)
    least = np.partition(values, -count, axis=1)[:, [-count]]
    is_larger, is_least = values > least, values == least
    left = count - is_larger.sum(axis=1, keepdims=True)
    return np.asarray(is_larger | (is_least & (is_least.cumsum(axis=1) <= left)))


def _is_strongest() -> pl.Expr:
    order = [-pl.col("weight_90"), pl.col("item")]
    return pl.struct(order).rank("ordinal").over("row") <= OWN


def _at(places: pl.Series, value: Any) -> Array:
    """A value of each pair whose item is in the pool, else 0; rounded, so that equal ones tie on any machine."""
    known = places.is_not_null().to_numpy()
    found = np.zeros(len(places))
    found[known] = value(places.drop_nulls().to_numpy(), known)
    return np.asarray(found.round(9))
