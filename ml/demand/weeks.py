"""Demand by week as a grid: groups x weeks, the last of which ends on the as-of date."""

from dataclasses import dataclass, field, replace
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

PLANNED_DAYS: Final[Schema] = {"date": pl.Date, "name": pl.String, "value": pl.Float64}
"""Grain: day x what is known in advance: holidays, and regressors such as promotions; a day without a row is 0."""


@dataclass(frozen=True)
class Weeks:
    """Demand of groups, by name, in consecutive weeks of seven days up to and with `as_of`.

    `planned` is weeks x what is known in advance, as means over the days of a week; it goes on beyond `as_of`.
    """

    groups: list[str]
    demand: Array
    as_of: date
    planned: Array = field(default_factory=lambda: np.zeros((0, 0)))

    def span(self, ahead: int) -> tuple[date, date]:
        """First and last day of a week: 1 is the first after `as_of`, 0 the last before."""
        last = self.as_of + timedelta(weeks=ahead)
        return last - timedelta(days=6), last


def weekly(
    days: pl.DataFrame,
    *,
    as_of: date,
    minimum_weeks: int,
    maximum_groups: int,
    planned_days: pl.DataFrame | None = None,
    horizon: int = 0,
) -> Weeks:
    """The grid of the groups with the most demand that were sold for `minimum_weeks` or more, of two years at most.

    The first week counts once all its days are in the data. A week without a sale is a week of 0. What is planned is
    taken `horizon` weeks beyond `as_of`.
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
    weeks = Weeks(chosen.to_list(), demand, as_of)
    return weeks if planned_days is None else replace(weeks, planned=_planned(planned_days, weeks, horizon))


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


def _planned(days: pl.DataFrame, weeks: Weeks, horizon: int) -> Array:
    """Weeks x names, in the order of the names."""
    length, names = weeks.demand.shape[1], days["name"].unique().sort().to_list()
    ends = pl.lit(weeks.as_of + timedelta(weeks=horizon))
    planned = np.zeros((length + horizon, len(names)))
    placed = (
        days.filter(pl.col("date") <= ends)
        .with_columns(week=length + horizon - 1 - (ends - pl.col("date")).dt.total_days() // 7)
        .filter(pl.col("week") >= 0)
        .group_by("week", "name")
        .agg((pl.col("value") * 1e4).round().cast(pl.Int64).sum() / 7e4)
    )
    for column, name in enumerate(names):
        of_name = placed.filter(name=name)
        planned[of_name["week"].to_numpy(), column] = of_name["value"].to_numpy()
    return planned
