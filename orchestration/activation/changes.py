"""What has to be told since the last time: customers added, updated and removed, each change with an id of its own.

What was told is a ledger of one row per customer: the last change that was sent, and what became of it. How changes
travel is `webhook`'s and `drop_folder`'s.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import polars as pl

from ml.schemas import Schema
from orchestration.errors import DeliveryError

Operation = Literal["added", "updated", "removed"]
Fate = Literal["pending", "accepted", "refused"]

KEY: Final = "customer_id"
LEDGER: Final[Schema] = {
    KEY: pl.String,
    "revision": pl.Int64,
    "operation": pl.String,
    "row_hash": pl.String,
    "fate": pl.String,
    "reason": pl.String,
}
"""Grain: customer who was ever told of. `pending` is a change of which nobody knows whether it arrived."""


@dataclass(frozen=True)
class Change:
    """One customer added, updated or removed. The same change has the same id however often it is sent."""

    activation: str
    customer_id: str
    revision: int
    operation: Operation
    row_hash: str
    row: Mapping[str, Any]

    @property
    def change_id(self) -> str:
        """By it a receiver knows what it has received before."""
        named = [self.activation, self.customer_id, str(self.revision), self.operation, self.row_hash]
        return hashlib.sha256("\x1f".join(named).encode()).hexdigest()[:32]

    def as_json(self) -> dict[str, Any]:
        """What is sent; a receiver that sees a lower revision than the last one of a customer leaves it."""
        return {
            "change_id": self.change_id,
            "operation": self.operation,
            "customer_id": self.customer_id,
            "revision": self.revision,
            "row": dict(self.row),
        }


def hash_of(row: Mapping[str, Any]) -> str:
    """The hash of a row's values, by the names of its columns."""
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()[:32]


def changes(activation: str, rows: pl.DataFrame, ledger: pl.DataFrame) -> list[Change]:
    """What has to be sent so that the receiver has these rows, sorted by customer.

    A change of which nobody knows whether it arrived is sent again under the same id; if the row has moved on since,
    a new one is sent, even back to what was accepted before. One that was refused waits until its row changes.

    Raises:
        ValueError: two rows are of one customer, or a row is of nobody.
    """
    if rows[KEY].null_count() or rows[KEY].is_duplicated().any():
        raise ValueError(f"every row needs a {KEY} of its own")
    told = {row[KEY]: row for row in ledger.iter_rows(named=True)}
    wanted = {row[KEY]: row for row in rows.iter_rows(named=True)}
    found = (_change(activation, one, wanted.get(one), told.get(one)) for one in sorted({*told, *wanted}))
    return [change for change in found if change is not None]


def _change(activation: str, customer: str, row: dict[str, Any] | None, last: dict[str, Any] | None) -> Change | None:
    row_hash = "" if row is None else hash_of(row)
    revision: int = last["revision"] if last else 0
    if last is None or row is None or last["operation"] == "removed":
        operation: Operation = "removed" if row is None else "added"
    else:
        operation = "updated"
    if last is not None and last["row_hash"] == row_hash:
        if last["fate"] != "pending":
            return None
        return Change(activation, customer, revision, last["operation"], row_hash, row or {})
    return Change(activation, customer, revision + 1, operation, row_hash, row or {})


def with_fates(ledger: pl.DataFrame, fates: Iterable[tuple[Change, Fate, str | None]]) -> pl.DataFrame:
    """The ledger once it is known what became of changes: sorted by customer."""
    new = pl.DataFrame(
        [(one.customer_id, one.revision, one.operation, one.row_hash, fate, reason) for one, fate, reason in fates],
        schema=LEDGER,
        orient="row",
    )
    return pl.concat([ledger.join(new, on=KEY, how="anti"), new]).sort(KEY)


def guard(rows: pl.DataFrame, ledger: pl.DataFrame, *, shrink_share: float) -> None:
    """Stop an extract that is empty or suddenly small, before it removes customers wherever they are addressed.

    Raises:
        DeliveryError: more than `shrink_share` of those who are there now would go; nothing was sent.
    """
    there = ledger.filter(pl.col("operation") != "removed")
    going = there.join(rows, on=KEY, how="anti").height
    if there.height and shrink_share < 1 and (rows.is_empty() or going > shrink_share * there.height):
        raise DeliveryError(
            f"{going} of {there.height} customers would be removed, more than {shrink_share:.0%}. Nothing was sent. "
            "Look for missing files or a condition that leaves out too many; if it is meant, "
            "raise the activation's shrink_share in the source file for one sync."
        )


def parts(changed: list[Change], *, size: int) -> Iterator[list[Change]]:
    """The changes, so many at a time."""
    for start in range(0, len(changed), size):
        yield changed[start : start + size]
