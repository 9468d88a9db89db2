"""What an engine must do with rows of customers: take a sample of them, and map a function over them bucket by bucket.

DuckDB's two methods are here, Spark's in `spark`. Which rows and which function belongs to whoever asks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:  # `clientele status` answers without it
    import polars as pl

ROWS_PER_BUCKET: Final = 2_000_000
IDS_PER_BUCKET: Final = 1_000  # sampled to find where a bucket ends
PARTS: Final = 1_000_000
"""A sample takes the customers whose number, out of so many, is below its share: the same ones on every engine."""


@dataclass(frozen=True)
class Rows:
    """Rows of a relation with a `customer_id`, as SQL that DuckDB reads."""

    relation: str
    columns: tuple[str, ...] = ("*",)
    where: str = "true"


class Engine(Protocol):
    """Where rows of customers are read and functions run over them."""

    def sample(self, rows: Rows, *, at_most: int) -> Rows:
        """The rows of about so many customers at most, chosen by a hash of their ids."""
        ...

    def map(self, rows: Rows, function: "Callable[[pl.DataFrame], pl.DataFrame]") -> "Iterator[pl.DataFrame]":
        """The function's frames, one or more a bucket, without order; all rows of a customer are in one bucket."""
        ...


class DuckEngine:
    """One bucket after the other in this process, so that memory is bounded."""

    def __init__(self, read: "Callable[[str], pl.DataFrame]", *, buckets: int) -> None:
        self._read = read
        self._buckets = buckets  # 0: as many as the rows need

    def sample(self, rows: Rows, *, at_most: int) -> Rows:
        """See `Engine`."""
        count = self._count(rows, "count(distinct customer_id)")
        return below(rows, f"md5_number_lower(customer_id) % {PARTS}", at_most / max(1, count))

    def map(self, rows: Rows, function: "Callable[[pl.DataFrame], pl.DataFrame]") -> "Iterator[pl.DataFrame]":
        """See `Engine`."""
        count = self._buckets or max(1, -(-self._count(rows, "count(*)") // ROWS_PER_BUCKET))
        for bucket in self._ranges(rows, count):
            where = f"({rows.where}) and {bucket}"
            yield function(self._read(f"select {', '.join(rows.columns)} from {rows.relation} where {where}"))

    def _ranges(self, rows: Rows, count: int) -> list[str]:
        """Conditions on `customer_id` that part the rows into about equal buckets, by the ids of a sample of them.

        Tables stored by customer find a range without reading the rest; rows of nobody are in none.
        """
        if count == 1:
            return ["customer_id is not null"]
        known = f"select customer_id from {rows.relation} where ({rows.where}) and customer_id is not null"
        sample = f"from ({known}) using sample reservoir({IDS_PER_BUCKET * count} rows)"
        ids = self._read(f"select customer_id from ({sample}) order by all")["customer_id"].to_list()
        edges = dict.fromkeys(ids[len(ids) * number // count].replace("'", "''") for number in range(1, count) if ids)
        lower, upper = [None, *edges], [*edges, None]
        return [
            " and ".join(
                [f"customer_id >= '{first}'"] * (first is not None)
                + [f"customer_id < '{last}'"] * (last is not None)
                + ["customer_id is not null"] * (first is None and last is None)
            )
            for first, last in zip(lower, upper, strict=True)
        ]

    def _count(self, rows: Rows, what: str) -> int:
        return int(self._read(f"select {what} from {rows.relation} where {rows.where}").item())


def below(rows: Rows, number: str, share: float) -> Rows:
    """The rows whose customer's number is below a share of PARTS."""
    return rows if share >= 1 else replace(rows, where=f"({rows.where}) and {number} < {round(share * PARTS)}")
