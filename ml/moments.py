"""What is left of customers once they are added up: exact sums per arm and metric, of any number of buckets.

All that the analysis needs is in these sums, and being whole numbers they do not depend on the order of rows.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from ml.schemas import Schema

UNIT: Final = 10_000
"""Values are decimals of four places, counted in ten-thousandths."""

SUMS: Final = ("n", "positive", "y", "yy", "x", "xx", "xy")
MOMENTS: Final[Schema] = {"arm": pl.String, "metric": pl.Int64, **dict.fromkeys(SUMS, pl.Decimal(38, 0))}
"""Grain: arm x number of the metric. `y` is the value, `x` the covariate, both in ten-thousandths; `positive` counts
customers whose value is not zero."""


def add_up(customers: pl.DataFrame, *, metrics: int) -> pl.DataFrame:
    """MOMENTS of one bucket: columns arm, and of each metric value_<number> and covariate_<number>, Decimal(18, 4)."""
    if customers.is_empty():
        return pl.DataFrame(schema=MOMENTS)
    frames = []
    for number in range(metrics):
        whole = [
            (pl.col(f"{name}_{number}").cast(pl.Decimal(18, 4)).fill_null(0) * UNIT).cast(pl.Int64).cast(pl.Int128)
            for name in ("value", "covariate")
        ]
        y, x = pl.col("y"), pl.col("x")
        sums = {"y": y.sum(), "yy": (y * y).sum(), "x": x.sum(), "xx": (x * x).sum(), "xy": (x * y).sum()}
        frames.append(
            customers.select("arm", y=whole[0], x=whole[1])
            .group_by("arm")
            .agg(n=pl.len(), positive=(y != 0).sum(), **sums)
            .with_columns(metric=pl.lit(number))
        )
    return pl.concat(frames).select(pl.col(name).cast(kind) for name, kind in MOMENTS.items())


@dataclass(frozen=True)
class Moments:
    """One arm and metric: customers, how many have a value, and the sums of value and covariate."""

    n: int
    positive: int
    y: int
    yy: int
    x: int
    xx: int
    xy: int

    @property
    def mean(self) -> float:
        """Of the value."""
        return self.y / self.n / UNIT

    @property
    def covariate_mean(self) -> float:
        """Of the covariate."""
        return self.x / self.n / UNIT

    @property
    def variance(self) -> float:
        """Of the value, with n - 1."""
        return self._centred(self.yy, self.y, self.y) / (self.n - 1)

    @property
    def covariate_square(self) -> float:
        """Sum of squares of the covariate around its mean."""
        return self._centred(self.xx, self.x, self.x)

    @property
    def value_square(self) -> float:
        """Sum of squares of the value around its mean."""
        return self._centred(self.yy, self.y, self.y)

    @property
    def product(self) -> float:
        """Sum of products of both around their means."""
        return self._centred(self.xy, self.x, self.y)

    def _centred(self, sum_of_products: int, one: int, other: int) -> float:
        return (self.n * sum_of_products - one * other) / self.n / UNIT**2  # whole numbers up to the first division


def merged(frames: Iterable[pl.DataFrame]) -> dict[tuple[str, int], Moments]:
    """The sums of all buckets, by arm and number of the metric."""
    total = pl.concat([pl.DataFrame(schema=MOMENTS), *frames]).group_by("arm", "metric").agg(pl.col(*SUMS).sum())
    return {(row[0], row[1]): Moments(*(math.floor(value) for value in row[2:])) for row in total.iter_rows()}
