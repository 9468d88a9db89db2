"""One sync: compare, stop what looks wrong, note what is about to leave, deliver, and note what became of it.

The ledger and the log are kept files; a kill at any moment leaves changes pending, which the next sync settles.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from ml.schemas import Schema
from orchestration.activation import LEDGERS, LOGS
from orchestration.activation.changes import KEY, LEDGER, Change, changes, guard, with_fates
from orchestration.activation.webhook import Fates
from orchestration.errors import ClienteleError
from orchestration.storage import kept_files

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
    """What is kept of one activation: the ledger of what was told, dead letters among it, and the log of syncs.

    In the history they are `activations/<source>/<activation>.parquet` and `syncs/<source>/<activation>.parquet`.
    """

    history: Path
    source: str
    activation: str

    @property
    def ledger(self) -> pl.DataFrame:
        """LEDGER of all customers who were ever told of."""
        return self._read(LEDGERS, LEDGER)

    @property
    def log(self) -> pl.DataFrame:
        """LOG of all syncs, the first one first."""
        return self._read(LOGS, LOG)

    @property
    def dead_letters(self) -> pl.DataFrame:
        """The changes that were refused for good, each with its reason, until the row changes."""
        return self.ledger.filter(pl.col("fate") == "refused")

    def held(self, customers: Iterable[str]) -> pl.DataFrame:
        """The LEDGER of those customers whom the destination may still hold: told of, and not known to be removed."""
        never = (pl.col("revision") == 1) & (pl.col("fate") == "refused")
        gone = (pl.col("operation") == "removed") & (pl.col("fate") == "accepted")
        return self.ledger.filter(pl.col(KEY).is_in(list(customers)), ~never, ~gone)

    def write(self, ledger: pl.DataFrame) -> None:
        """Keep the ledger."""
        kept_files.write_frame(self._file(LEDGERS), ledger)

    def note(self, **entry: object) -> None:
        """Add a sync to the log."""
        row = pl.DataFrame([{"activation": self.activation, **entry}], schema=LOG)
        kept_files.write_frame(self._file(LOGS), pl.concat([self.log, row]))

    def _read(self, subject: str, schema: Schema) -> pl.DataFrame:
        file = self._file(subject)
        return pl.read_parquet(file) if file.exists() else pl.DataFrame(schema=schema)

    def _file(self, subject: str) -> Path:
        return self.history / subject / self.source / f"{self.activation}.parquet"


def sync(rows: pl.DataFrame, books: Books, destination: Destination, *, shrink_share: float, now: datetime) -> None:
    """Bring a destination to these rows, one a customer_id; what has not changed is not sent.

    Raises:
        DeliveryError: the rows are suspiciously few; nothing was sent.
        ClienteleError: the destination did not take everything; what is not known to have arrived is sent again.
    """
    ledger = books.ledger
    try:
        guard(rows, ledger, shrink_share=shrink_share)
    except ClienteleError as error:
        books.note(synced_at=now, status="stopped", reason=str(error))
        raise
    send(changes(books.activation, rows, ledger), books, destination, now=now)


def withdraw(customers: Iterable[str], books: Books, destination: Destination, *, now: datetime) -> None:
    """See to it that a destination was told to remove customers, whatever it was told of them before.

    Raises:
        ClienteleError: it did not take a removal.
    """
    asked = books.held(customers).with_columns(
        fate=pl.when(operation="removed").then(pl.lit("pending")).otherwise("fate")
    )
    nobody = pl.DataFrame(schema={KEY: pl.String})
    if asked.height:
        send(changes(books.activation, nobody, asked), books, destination, now=now)
    left = books.held(asked[KEY])
    if left.height:
        raise ClienteleError(
            f"actions.activations.{books.activation}: the destination refuses to remove {left.height} customers "
            f"({', '.join(sorted({str(reason) for reason in left['reason']}))}), and nobody else can see to it. "
            "Nothing was erased."
        )


def send(changed: list[Change], books: Books, destination: Destination, *, now: datetime) -> None:
    """Deliver changes: noted as pending before, with their fates after, and in the log either way.

    Raises:
        ClienteleError: the destination did not take everything.
    """
    if changed:
        books.write(with_fates(books.ledger, [(change, "pending", None) for change in changed]))
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
