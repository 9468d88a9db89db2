"""What everybody's purchases say of the items: how popular each is, how often bought again, and what goes together.

Co-purchase is EASE (Steck 2019, Embarrassingly Shallow Autoencoders for Sparse Data), factorisation is PureSVD
(Cremonesi, Koren and Turrin 2010) on days of purchase that fade. Both look at the most popular items only. Whom an item
is proposed to belongs in `candidates`.
"""

from datetime import date, timedelta
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.extmath import randomized_svd

from ml.recommendations.purchase_days import HALF_LIVES_DAYS, before, own_items

Array = npt.NDArray[np.float64]

PENALTY: Final = 500.0
"""EASE's ridge penalty, in customers: below so many who share two items, little is made of it."""
NEIGHBOURS: Final = 100
FACTORS: Final = 32


class Assortment(BaseEstimator):
    """Every item that two customers or more bought in a year, and the `pool_size` most popular of them compared."""

    def __init__(self, *, pool_size: int = 2000, seed: int = 0) -> None:
        self.pool_size = pool_size
        self.seed = seed

    def fit(self, days: pl.DataFrame, *, as_of: date) -> Self:
        """Learn from PURCHASE_DAYS up to `as_of`."""
        own = own_items(days, as_of=as_of)
        lately = before(days, as_of=as_of).filter(pl.col("purchase_date") > as_of - timedelta(days=HALF_LIVES_DAYS[0]))
        recent = lately.group_by("item").agg(recent_buyer_count=pl.col("customer_id").n_unique().cast(pl.Int64))
        items = (
            own.group_by("item")
            .agg(
                buyer_count=pl.len().cast(pl.Int64),
                repeat_buyer_count=(pl.col("day_count") > 1).sum().cast(pl.Int64),
            )
            .filter(pl.col("buyer_count") > 1)
            .join(recent, on="item", how="left")
            .with_columns(pl.col("recent_buyer_count").fill_null(0))
            .sort(["buyer_count", "item"], descending=[True, False])
        )
        self.customer_count_ = own["customer_id"].n_unique()
        self.items_ = items["item"].to_numpy().astype(np.str_)
        for name in ("buyer_count", "repeat_buyer_count", "recent_buyer_count"):
            setattr(self, f"{name}_", items[name].to_numpy())
        self._compare(own)
        return self

    def _compare(self, own: pl.DataFrame) -> None:
        bought = self.matrix(own)
        gram = (bought.T @ bought).toarray() + PENALTY * np.eye(len(self.pool))
        inverse = np.linalg.inv(gram) if len(self.pool) else gram
        weights = -inverse / np.diag(inverse)  # Steck 2019, eq. 8
        np.fill_diagonal(weights, 0.0)
        if len(self.pool) > NEIGHBOURS:
            least = np.partition(np.abs(weights), -NEIGHBOURS, axis=0)[-NEIGHBOURS]
            weights[np.abs(weights) < least] = 0.0
        kept = sparse.csr_matrix(weights)
        self.weights_, self.weight_items_, self.weight_rows_ = kept.data, kept.indices, kept.indptr
        faded = self.matrix(own, values=np.log1p(own[f"weight_{HALF_LIVES_DAYS[-1]}"].to_numpy()))
        rank = min(FACTORS, *(size - 1 for size in faded.shape)) if min(faded.shape) > 1 else 0
        self.factors_ = np.zeros((len(self.pool), 0))
        if rank:
            _, _, axes = randomized_svd(faded, rank, random_state=self.seed)
            self.factors_ = np.ascontiguousarray(axes.T)

    @property
    def pool(self) -> npt.NDArray[np.str_]:
        """The items that are compared with each other, most popular first."""
        pool: npt.NDArray[np.str_] = self.items_[: self.pool_size]
        return pool

    @property
    def co_purchase(self) -> Any:
        """EASE's weights as a sparse matrix: row, the item that was bought; column, the one that it speaks for."""
        shape = (len(self.pool), len(self.pool))
        return sparse.csr_matrix((self.weights_, self.weight_items_, self.weight_rows_), shape=shape)

    def table(self) -> pl.DataFrame:
        """Grain: item: its place in the pool (null outside it), and shares of customers and of its buyers."""
        known = max(1, self.customer_count_)
        return pl.DataFrame(
            {
                "item": pl.Series(self.items_.tolist(), dtype=pl.String),
                "place": pl.Series(np.arange(len(self.items_)), dtype=pl.Int64),
                "buyer_share": self.buyer_count_ / known,
                "recent_buyer_share": self.recent_buyer_count_ / known,
                "repeat_share": (self.repeat_buyer_count_ + 1) / (self.buyer_count_ + 5),  # one in five before any
            }
        ).with_columns(place=pl.when(pl.col("place") < self.pool_size).then("place"))

    def matrix(self, own: pl.DataFrame, *, values: Array | None = None) -> Any:
        """Sparse customers, in order, x pool: `values`, one a row of `own`, or 1 for what a customer bought."""
        rows = own["customer_id"].rank("dense").to_numpy().astype(np.int64) - 1
        places = own.select("item").join(self.table(), on="item", how="left", maintain_order="left")["place"]
        known = places.is_not_null().to_numpy()
        data = np.ones(own.height) if values is None else values
        shape = (own["customer_id"].n_unique(), len(self.pool))
        return sparse.csr_matrix((data[known], (rows[known], places.drop_nulls().to_numpy())), shape=shape)
