"""One sync: compare, stop what looks wrong, note what is about to leave, deliver, and note what became of it.

The ledger and the log are kept files; a kill at any moment leaves changes pending, which the next sync settles.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from ml.schemas import Schema
from orchestration import kept_files
from orchestration.activation.changes import LEDGER, Change, changes, guard, with_fates
from orchestration.activation.webhook import Fates
from orchestration.errors import ClienteleError

LOG: Final[Schema] = {
    "activation": pl.String,
    "synced_at": pl.Datetime("us"),
    "status": pl.String,
    "added_count": pl.Int64,
    "updated_count": pl.Int64,
    "removed_count": pl.Int64,
    "accepted_count": pl.Int64,
    "refused_count": pl.Int64,
    "pending_count": pl.Int64,
    "reason": pl.String,
}
"""Grain: sync. `status` is complete, stopped (by the guard, nothing was sent) or interrupted (the rest is pending)."""


class Destination(Protocol):
    """Where changes go."""

    def deliver(self, changed: Sequence[Change], settle: Callable[[Fates], None]) -> None:
        """Deliver all, and say of each what became of it as soon as that is known."""


@dataclass(frozen=True)
class Books:
    """What is kept of one activation: the ledger of what was told, dead letters among it, and the log of syncs."""

    folder: Path
    activation: str

    @property
    def ledger(self) -> pl.DataFrame:
        """LEDGER of all customers who were ever told of."""
        return self._read("ledger", LEDGER)

    @property
    def log(self) -> pl.DataFrame:
        """LOG of all syncs, the first one first."""
        return self._read("log", LOG)

    @property
    def dead_letters(self) -> pl.DataFrame:
        """The changes that were refused for good, each with its reason, until the row changes."""
        return self.ledger.filter(pl.col("fate") == "refused")

    def write(self, ledger: pl.DataFrame) -> None:
        """Keep the ledger."""
        kept_files.write_frame(self._file("ledger"), ledger)

    def note(self, **entry: object) -> None:
        """Add a sync to the log."""
        row = pl.DataFrame([{"activation": self.activation, **entry}], schema=LOG)
        kept_files.write_frame(self._file("log"), pl.concat([self.log, row]))

    def _read(self, what: str, schema: Schema) -> pl.DataFrame:
        file = self._file(what)
        return pl.read_parquet(file) if file.exists() else pl.DataFrame(schema=schema)

    def _file(self, what: str) -> Path:
        return self.folder / f"{self.activation}.{what}.parquet"


def sync(rows: pl.DataFrame, books: Books, destination: Destination, *, shrink_share: float, now: datetime) -> None:
    """Bring a destination to these rows, one a customer_id; what has not changed is not sent.

    Raises:
        CheckError: the rows are suspiciously few; nothing was sent.
        ClienteleError: the destination did not take everything; what is not known to have arrived is sent again.
    """
    ledger = books.ledger
    try:
        guard(rows, ledger, shrink_share=shrink_share)
    except ClienteleError as error:
        books.note(synced_at=now, status="stopped", reason=str(error))
        raise
    changed = changes(books.activation, rows, ledger)
    if changed:
        books.write(with_fates(ledger, [(change, "pending", None) for change in changed]))
    fates: Fates = []
    status, reason = "interrupted", "The sync was ended from outside."
    try:
        destination.deliver(changed, fates.extend)
        status, reason = "complete", ""
    except ClienteleError as error:
        reason = str(error)
        raise
    finally:
        if fates:
            books.write(with_fates(books.ledger, fates))
        counts = {
            f"{name}_count": sum(change.operation == name for change in changed)
            for name in ("added", "updated", "removed")
        }
        ends = {f"{name}_count": sum(fate == name for _, fate, _ in fates) for name in ("accepted", "refused")}
        books.note(
            synced_at=now,
            status=status,
            reason=reason or None,
            **counts,
            **ends,
            pending_count=len(changed) - len(fates),
        )
