"""The only importer of duckdb: frame <-> table by key, customers by bucket, and locked-down connections for files.

Over which rows functions run, and where, belongs in `engines`; what a table means, nowhere here.
"""

import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.engines.engine import DuckEngine, Engine, Rows
from orchestration.errors import ClienteleError
from orchestration.settings import Settings

if TYPE_CHECKING:  # `clientele status` answers without it
    import polars as pl

Connection = duckdb.DuckDBPyConnection
DatabaseError = duckdb.Error
MissingTable = (duckdb.CatalogException, duckdb.BinderException)
"""A table or a column that is not there."""

STORAGE_VERSION = "v1.0.0"  # every DuckDB client since 1.0 opens it
PAUSES = (0.1, 0.4, 1.0, 2.0, 4.0, 8.0)  # seconds between attempts to open a file that another program holds


class Warehouse:
    """The working DuckDB file; a table's address is its key, `schema.table`."""

    def __init__(self, file: Path, *, settings: Settings) -> None:
        self.file = file
        self._settings = settings
        self._is_kept_open = False
        self._held: Connection | None = None
        self.engine: Engine = DuckEngine(self.read, buckets=settings.buckets)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """The one writing connection, for as long as the block lasts; dbt cannot write meanwhile.

        Raises:
            ClienteleError: another program has the file open, and did not close it while we waited.
        """
        held = self._held or self._opened()
        if self._is_kept_open:
            self._held, connection = held, held.cursor()
        else:
            connection = held
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Within the block the file stays open from first use until `let_go`: to open it takes a tenth of a second."""
        self._is_kept_open = True
        try:
            yield
        finally:
            self._is_kept_open = False
            self.let_go()

    def let_go(self) -> None:
        """Close the file, so that dbt may write it; who uses it next opens it again."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _opened(self) -> Connection:
        """A connection once whoever else has the file open lets go of it: dbt at its end, or somebody looking."""
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for pause in PAUSES:
            try:
                return duckdb.connect(str(self.file), config=self.config)
            except duckdb.IOException as error:
                if "Could not set lock" not in str(error):
                    raise
                holder = re.search(r"PID (\d+)", str(error))
            time.sleep(pause)
        raise ClienteleError(
            f"{self.file} is open in another program{f' (process {holder[1]})' if holder else ''}: close it and run "
            "again. It is the working file; BI reads what is published. Nothing was published."
        )

    @property
    def config(self) -> dict[str, str | bool | int | float | list[str]]:
        """DuckDB's configuration: bounded memory, spilling beside the file, the storage that old clients read."""
        return {
            "storage_compatibility_version": STORAGE_VERSION,
            "memory_limit": self._settings.memory_limit,
            "threads": str(self._settings.threads),
            "temp_directory": str(self.file.with_suffix(".spill")),
        }

    def discard(self) -> None:
        """Throw the file away, with what DuckDB left beside it: everything in it is built from what is kept."""
        self.let_go()
        for left in (self.file, self.file.with_name(f"{self.file.name}.wal")):
            left.unlink(missing_ok=True)
        shutil.rmtree(self.file.with_suffix(".spill"), ignore_errors=True)

    def discard_if_broken(self) -> None:
        """Throw the file away if it does not open.

        Raises:
            ClienteleError: it does not open because another program has it open.
        """
        try:
            with self.connect():
                pass
        except duckdb.Error:
            self.discard()

    def read(self, query: str) -> "pl.DataFrame":
        """The rows of a query as a frame."""
        with self.connect() as connection:
            frame: pl.DataFrame = connection.sql(query).pl()
            return frame

    def write(self, key: str, frames: "pl.DataFrame | Iterable[pl.DataFrame]") -> int:
        """Replace table `schema.table` by the frames' rows, by column name, in one transaction; returns how many."""
        import polars as pl

        schema, _, _ = key.partition(".")
        rows = 0
        with self.connect() as connection:
            connection.execute(f"create schema if not exists {schema}")
            connection.execute("begin")
            for frame in [frames] if isinstance(frames, pl.DataFrame) else frames:
                if not rows:
                    connection.execute(f"create or replace table {key} as from frame")
                else:
                    connection.execute(f"insert into {key} by name from frame")
                rows += frame.height
            connection.execute("commit")
        return rows

    def map_customers(
        self,
        relation: str,
        function: "Callable[[pl.DataFrame], pl.DataFrame]",
        *,
        columns: Iterable[str] = ("*",),
        where: str = "true",
        at_most: int | None = None,
    ) -> "Iterator[pl.DataFrame]":
        """Apply `function` to the rows of one bucket of customers after the other, so that memory is bounded.

        `relation` has a `customer_id`; all rows of a customer are in one bucket, those of nobody in none. Buckets are
        ranges of ids, which tables stored by customer find without reading the rest. Of more than `at_most` customers
        about so many are taken, chosen by a hash of their ids. The frames come without order.
        """
        rows = Rows(relation, tuple(columns), where)
        sampled = rows if at_most is None else self.engine.sample(rows, at_most=at_most)
        yield from self.engine.map(sampled, function)

    def hand_over(self) -> None:
        """Let dbt write: on another engine, once that one has what dbt reads."""
        self.let_go()

    def take_back(self, keys: Iterable[str], manifest: Path) -> None:
        """See what dbt has built, by `schema.table`; in this file it has done so itself."""

    def row_count(self, key: str) -> int:
        """Rows of a table or view."""
        with self.connect() as connection:
            return int(connection.execute(f"select count(*) from {key}").fetchall()[0][0])

    def row_counts(self) -> dict[str, int]:
        """Rows of every table and view by `schema.table`, all from one connection."""
        with self.connect() as connection:
            names = connection.execute(
                "select table_schema || '.' || table_name from information_schema.tables "
                "where table_catalog = current_database()"
            ).fetchall()
            return {name: int(connection.execute(f"select count(*) from {name}").fetchall()[0][0]) for (name,) in names}

    def column_types(self) -> dict[str, dict[str, str]]:
        """Types by column of every table and view by `schema.table`."""
        with self.connect() as connection:
            listed = connection.execute(
                "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
                "where database_name = current_database() and not internal order by table_oid, column_index"
            ).fetchall()
        found: dict[str, dict[str, str]] = {}
        for relation, column, kind in listed:
            found.setdefault(relation, {})[column] = kind
        return found


@contextmanager
def sandbox(*, files: Iterable[Path] = (), folders: Iterable[Path] = ()) -> Iterator[Connection]:
    """A connection in memory that can touch the named files and folders and nothing else, whatever SQL it is given."""
    connection = duckdb.connect(":memory:", config={"threads": "2"})
    try:
        connection.execute("set timezone = 'UTC'")
        for setting, paths in (("allowed_paths", files), ("allowed_directories", folders)):
            connection.execute(f"set {setting} = [{', '.join(literal(str(path)) for path in paths)}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()


def records(connection: Connection, query: str) -> list[dict[str, Any]]:
    """The rows of a query, each by column name: for results that are small by nature."""
    result = connection.execute(query)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def reading(file: Path) -> Connection:
    """As `reader`, for whoever keeps it: each thread asks through a cursor of its own."""
    locked: dict[str, Any] = {"enable_external_access": "false", "lock_configuration": "true"}
    return duckdb.connect(str(file), read_only=True, config=locked)


@contextmanager
def reader(file: Path) -> Iterator[Connection]:
    """A read-only connection to a published file that can reach nothing beyond it, closed at the end of the block."""
    connection = reading(file)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def reading_two(now: Path, before: Path) -> Iterator[Connection]:
    """Two published files as the catalogs `now` and `before` of one connection that can reach nothing beyond them."""
    connection = duckdb.connect(":memory:")
    try:
        for name, file in (("now", now), ("before", before)):
            connection.execute(f"attach {literal(str(file))} as {name} (read_only)")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
