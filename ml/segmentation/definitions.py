"""What every strategy shares: what a fit knows beside today's customers, how it says no, and how it is remembered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import polars as pl

from ml.schemas import empty
from ml.segment_schemas import SEGMENT_DEFINITIONS
from ml.small_groups import SMALLEST_GROUP as SMALLEST_GROUP


@dataclass(frozen=True)
class Background:
    """What a fit may know beside today's customers.

    `past` are SEGMENT_INPUTS of a past day with what came next (future_amount, is_churned), from which segments must
    separate; `previous` is the definition before, whose segments go on where they can.
    """

    past: pl.DataFrame | None = None
    previous: pl.DataFrame | None = None
    seed: int = 0


NOTHING: Final = Background()


class Withheld(Exception):  # noqa: N818 - a verdict, not an error
    """A strategy gives no segments: the data lacks something, or what was found does not hold; the text says why."""

    def __init__(self, status: Literal["not_carried", "withheld"], reason: str) -> None:
        super().__init__(reason)
        self.status = status


def define(strategy: str, as_of: date, rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """SEGMENT_DEFINITIONS from rows that leave out what they have none of."""
    found = [dict.fromkeys(SEGMENT_DEFINITIONS) | row | {"strategy": strategy, "as_of_date": as_of} for row in rows]
    return pl.DataFrame(found, schema=SEGMENT_DEFINITIONS) if found else empty(SEGMENT_DEFINITIONS)


def of_strategy(definitions: pl.DataFrame, strategy: str) -> pl.DataFrame:
    """The rows of one strategy."""
    return definitions.filter(pl.col("strategy") == strategy)


def cut_points(definition: pl.DataFrame, strategy: str, measure: str) -> pl.Series:
    """The values that divide customers by one measure, ascending by quantile.

    Raises:
        ValueError: the definition has none.
    """
    is_asked = (pl.col("strategy") == strategy) & (pl.col("measure") == measure) & (pl.col("quantity") == "cut_point")
    values = definition.filter(is_asked).sort("quantile")["value"]
    if values.is_empty():
        raise ValueError(f"no {strategy} cut points for {measure}")
    return values


def sample(customers: pl.DataFrame, most: int) -> pl.DataFrame:
    """At most so many customers, evenly through their ids: the same ones whatever the order of rows."""
    ordered = customers.sort("customer_id")
    return ordered.gather_every(-(-ordered.height // most) or 1)
