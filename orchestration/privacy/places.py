"""What can be asked of each place where data about people lies: to take persons out of it, and to tell what it holds.

The list of places is the registry's; a place that nobody here knows stops erasure and access alike.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import polars as pl

from orchestration.errors import ClienteleError
from orchestration.intake.source_file import Source
from orchestration.privacy.registry import KEY, Place, Registry
from orchestration.publishing.generations import DATABASE, read_manifest, versions_dir
from orchestration.settings import Settings
from orchestration.warehouse import Connection, DatabaseError, reader

SOURCE_KEY: Final = "source_customer_id"
"""The column beside KEY by which a row is a customer's."""


@dataclass(frozen=True)
class Home:
    """One source's part of a data folder, and the registry of what lies there."""

    settings: Settings
    source: Source
    registry: Registry


@dataclass(frozen=True)
class Persons:
    """Whom it is about: ids as they are kept, and the transactions by which rows that name no customer are theirs."""

    customers: frozenset[str]
    transactions: frozenset[str] = frozenset()


class Holder(Protocol):
    """One place: what it can do."""

    def erase(self, persons: Persons) -> int:
        """Take persons out; how many rows or files that were."""

    def tell(self, persons: Persons) -> Any:
        """Everything that is held about them, as JSON knows it."""

    def known(self) -> Iterator[tuple[set[str], set[str]]]:
        """Ids of customers in it, and of transactions in rows that name no customer."""


Kind = Callable[[Home, Place], Holder]


def holders(home: Home, kinds: dict[str, Kind]) -> dict[str, Holder]:
    """The holder of each place about people, by its path; `kinds` are by path, or by its beginning with a `/`.

    Raises:
        ClienteleError: nothing says how to ask a place.
    """
    found = {}
    for place in home.registry.places_of_people():
        kind = kinds.get(place.path) or kinds.get(place.path.split("/")[0] + "/")
        if kind is None:
            raise ClienteleError(
                f"{place.path} holds data about people, and nothing says how to take a person out of it or what it "
                "tells of one. Nothing was done: add it to orchestration/privacy."
            )
        found[place.path] = kind(home, place)
    return found


def check_registered(home: Home) -> None:
    """Stop where rows of customers lie that no registry knows or nothing can read: nobody could say that one is gone.

    Raises:
        ClienteleError: a kept file or a published table has a customer's id and is not registered, or a published
            version is broken.
    """
    settings, registry = home.settings, home.registry
    known = {settings.data_dir / place.path for place in registry.places_of_people()}
    strays = [
        str(file.relative_to(settings.data_dir))
        for file in sorted(settings.data_dir.rglob("*.parquet"))
        if not known & {*file.parents} and keys(pl.read_parquet_schema(file))
    ]
    tables = {table.name for table in registry.tables_of_people()}
    for folder in sorted(versions_dir(settings).glob("[!.]*/")):
        source, names = _told(folder)
        if source == home.source.name:
            strays += [f"table {name}" for name in names if name not in tables]
    if strays:
        raise ClienteleError(
            f"These hold customers' ids and are in no registry: {', '.join(dict.fromkeys(strays))}. Nothing was done. "
            "Register them in orchestration/privacy/registry.py or in the YAML of the table, or remove them."
        )


def _told(folder: Path) -> tuple[str, list[str]]:
    """Of which source a published version is, and its tables with customers.

    Raises:
        ClienteleError: it cannot be read.
    """
    manifest = read_manifest(folder)
    with suppress(DatabaseError):
        if manifest is not None:
            with reader(folder / DATABASE) as connection:
                return manifest["source"], list(keyed_tables(connection))
    raise ClienteleError(
        f"published/versions/{folder.name} is broken: nobody can be found in it or taken out of it. Nothing was done. "
        "Remove the folder (the next `clientele run` publishes anew), then ask again."
    )


def keys(names: Any) -> list[str]:
    """The columns of a table by which a row is a customer's."""
    return [name for name in (KEY, SOURCE_KEY) if name in names]


def keyed_tables(connection: Connection) -> dict[str, list[str]]:
    """The names of the columns of each table that has a customer's id, by `schema.table`."""
    rows = connection.execute(
        "select table_schema || '.' || table_name, list(column_name order by ordinal_position) "
        "from information_schema.columns where table_catalog = current_database() group by 1 order by 1"
    ).fetchall()
    return {name: columns for name, columns in rows if keys(columns)}


def is_theirs(columns: Any) -> str:
    """The SQL condition of rows that are those of `keep_persons`."""
    own = [f"coalesce({_text(name)} in (select id from persons), false)" for name in keys(columns)]
    if "transaction_id" in columns and KEY in columns:
        transaction = f"coalesce({_text('transaction_id')} in (select id from their_transactions), false)"
        own.append(f"({_text(KEY)} is null and {transaction})")
    return f"({' or '.join(own) or 'false'})"


def _text(column: str) -> str:
    return f"nullif(trim(cast({column} as varchar)), '')"


def keep_persons(connection: Connection, persons: Persons) -> None:
    """Make the tables that `is_theirs` asks."""
    for table, ids in (("persons", persons.customers), ("their_transactions", persons.transactions)):
        frame = pl.DataFrame({"id": sorted(ids)}, schema={"id": pl.String})
        connection.register("given", frame)
        connection.execute(f"create or replace temp table {table} as from given")
        connection.unregister("given")
