"""What an engine must do with rows of customers: take a sample of them, and map a function over them bucket by bucket.

DuckDB's two methods are here, Spark's in `spark`. Which rows and which function belongs to whoever asks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:  # `clientele status` answers without it
    import polars as pl

ROWS_PER_BUCKET: Final = 2_000_000
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
        for bucket in range(count):
            yield function(
                self._read(
                    f"select {', '.join(rows.columns)} from {rows.relation} "
                    f"where ({rows.where}) and hash(customer_id) % {count} = {bucket}"
                )
            )

    def _count(self, rows: Rows, what: str) -> int:
        return int(self._read(f"select {what} from {rows.relation} where {rows.where}").item())


def below(rows: Rows, number: str, share: float) -> Rows:
    """The rows whose customer's number is below a share of PARTS."""
    return rows if share >= 1 else replace(rows, where=f"({rows.where}) and {number} < {round(share * PARTS)}")
