"""Demand by week as a grid: groups x weeks, the last of which ends on the as-of date."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.action_schemas import DEMAND_WEEKS
from ml.schemas import Schema, conform

Array = npt.NDArray[np.float64]

DAILY_DEMAND: Final[Schema] = {"product_group": pl.String, "date": pl.Date, "demand": pl.Float64}
"""Grain: product group x day on which any was sold."""


@dataclass(frozen=True)
class Weeks:
    """Demand of groups, by name, in consecutive weeks of seven days up to and with `as_of`."""

    groups: list[str]
    demand: Array
    as_of: date

    def span(self, ahead: int) -> tuple[date, date]:
        """First and last day of a week: 1 is the first after `as_of`, 0 the last before."""
        last = self.as_of + timedelta(weeks=ahead)
        return last - timedelta(days=6), last


def weekly(days: pl.DataFrame, *, as_of: date, minimum_weeks: int, maximum_groups: int) -> Weeks:
    """The grid of the groups with the most demand that were sold for `minimum_weeks` or more, of two years at most.

    The first week counts once all its days are in the data. A week without a sale is a week of 0.
    """
    first = days["date"].min()
    length = min(104, ((as_of - first).days + 1) // 7) if isinstance(first, date) else 0
    ago = ((pl.lit(as_of) - pl.col("date")).dt.total_days() // 7).alias("ago")
    by_week = (
        days.filter(pl.col("date") <= as_of)
        .with_columns(ago)
        .filter(pl.col("ago") < length)
        .group_by("product_group", "ago")
        .agg((pl.col("demand") * 1e4).round().cast(pl.Int64).sum() / 1e4)  # sums in any order are the same
    )
    chosen = (
        by_week.group_by("product_group")
        .agg(total=pl.col("demand").sum().round(4), since=pl.col("ago").max())
        .filter((pl.col("since") + 1 >= minimum_weeks) & (pl.col("total") > 0))
        .sort(["total", "product_group"], descending=[True, False])
        .head(maximum_groups)["product_group"]
        .sort()
    )
    rows = pl.DataFrame({"product_group": chosen}).with_row_index("row")
    placed = by_week.join(rows, on="product_group")
    demand = np.zeros((len(chosen), length))
    demand[placed["row"].to_numpy(), length - 1 - placed["ago"].to_numpy()] = placed["demand"].to_numpy()
    return Weeks(chosen.to_list(), demand, as_of)


def sold(weeks: Weeks, *, unit: str) -> pl.DataFrame:
    """DEMAND_WEEKS: the grid as rows, every week that forecasts are made from."""
    ahead = range(1 - weeks.demand.shape[1], 1)
    grid = pl.DataFrame({"product_group": weeks.groups}).join(
        pl.DataFrame([weeks.span(week) for week in ahead], schema=["week_start_date", "week_end_date"], orient="row"),
        how="cross",
        maintain_order="left_right",
    )
    named = grid.with_columns(as_of_date=weeks.as_of, unit=pl.lit(unit), demand=pl.Series(weeks.demand.ravel()))
    return conform(named, DEMAND_WEEKS)
