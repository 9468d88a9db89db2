"""Before a person is forgotten here: whoever was told of them is told to remove them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from orchestration.activation import LEDGERS
from orchestration.activation.destinations import destination_of
from orchestration.activation.sync import Books, withdraw
from orchestration.errors import InputError
from orchestration.intake.source_file import Source
from orchestration.settings import Settings
from orchestration.storage import kept_files


def withdraw_everywhere(customers: Iterable[str], *, source: Source, settings: Settings) -> None:
    """Have customers removed at every destination that was ever told of them; the caller holds the writer lock.

    Raises:
        InputError: a destination that may hold one of them is no longer declared.
        ClienteleError: a destination did not take a removal.
    """
    asked = list(customers)
    for file in kept_files.parquet_files(settings.history_dir / LEDGERS / source.name):
        books = Books(settings.history_dir, source.name, file.stem)
        if books.held(asked).is_empty():
            continue
        one = source.actions.activations.get(books.activation)
        if one is None:
            raise InputError(
                f"actions.activations.{books.activation} is not declared any more, and its destination may hold them. "
                "Nothing was erased. Declare it again; or, once they are gone from there, remove "
                f"history/{LEDGERS}/{source.name}/{file.name}."
            )
        destination = destination_of(books.activation, one, source=source, settings=settings)
        withdraw(asked, books, destination, now=datetime.now(UTC).replace(tzinfo=None))
