"""Spark through Connect: rows of customers mapped on executors, and tables carried over before dbt and back after it.

The working DuckDB file stays what Python reads and what is published. What models say belongs in dbt's target `spark`.
"""

import io
import json
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlparse

import polars as pl

from orchestration.engines.engine import PARTS, ROWS_PER_BUCKET, Rows, below
from orchestration.errors import InputError
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse, literal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PORT: Final = 15002
SESSION: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.ansi.enabled": "false",
}
"""What makes Spark's types and sums those of DuckDB; the same as in `dbt_project/profiles.yml`."""
GIVEN: Final = ("raw", "ml")
"""Schemas that Python fills and dbt reads."""
BUILT: Final = ("marts", "quality", "reports", "intermediate", "staging")
"""Schemas that dbt fills; Python and whoever reads what is published see the first three."""
BETWEEN: Final = ("intermediate.int_planned_days",)
"""What Python reads of the others."""
FILE_BYTES: Final = "128MB"
SLICE_ROWS: Final = 100_000
_KEY: Final = "_customer"
_LOWER_HALF: Final = ", ".join(f"substr(md5(customer_id), {at}, 2)" for at in range(31, 16, -2))
NUMBER: Final = f"cast(conv(concat({_LOWER_HALF}), 16, 10) as decimal(20, 0)) % {PARTS}"
"""DuckDB's `md5_number_lower`, which reads the last eight bytes from the back."""


def connect(remote: str) -> "SparkSession":
    """A session on the cluster behind a Connect server, `sc://host:15002`.

    Raises:
        InputError: what Spark needs is not installed, or no server answers.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise InputError("The engine is Spark, and its client is not installed: `make spark`.") from None
    address = urlparse(remote)
    try:  # the client itself would try for ten minutes
        socket.create_connection((address.hostname or "", address.port or PORT), timeout=10).close()
    except OSError:
        raise InputError(
            f"Spark at {address.hostname}:{address.port or PORT} does not answer. Nothing was read. Start its Connect "
            "server, correct CLIENTELE_SPARK_REMOTE, or unset CLIENTELE_DBT_TARGET for DuckDB."
        ) from None
    session = SparkSession.builder.remote(remote).create()
    for name, value in SESSION.items():
        session.conf.set(name, value)
    return session


class SparkEngine:
    """Buckets of customers are partitions: each is one frame for the function, on whichever executor takes it."""

    def __init__(self, session: "SparkSession", *, buckets: int) -> None:
        self._session = session
        self._buckets = buckets  # 0: as many as the rows need, and no fewer than Spark's partitions

    def sample(self, rows: Rows, *, at_most: int) -> Rows:
        """See `Engine`."""
        counted = self._query(Rows(rows.relation, ("count(distinct customer_id) as customers",), rows.where))
        return below(rows, NUMBER, at_most / max(1, counted.collect()[0][0]))

    def map(self, rows: Rows, function: Callable[[pl.DataFrame], pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """See `Engine`; with no row left there is one bucket, as on DuckDB, so that there is a frame with columns."""
        asked = self._query(Rows(rows.relation, (*rows.columns, f"customer_id as {_KEY}"), rows.where))
        found = asked.count()
        if not found:
            yield function(_frame(asked))
            return
        least = int(self._session.conf.get("spark.sql.shuffle.partitions") or 1)
        count = self._buckets or max(least, -(-found // ROWS_PER_BUCKET))
        mapped = asked.repartition(count, _KEY).mapInArrow(_on_arrow(function), "frame binary")
        for row in mapped.toLocalIterator():
            yield pl.read_ipc(io.BytesIO(row[0]))

    def _query(self, rows: Rows) -> "DataFrame":
        import sqlglot

        asked = f"select {', '.join(rows.columns)} from {rows.relation} as rows_of_customers where {rows.where}"
        return self._session.sql(sqlglot.transpile(asked, read="duckdb", write="spark")[0])


def _frame(asked: "DataFrame") -> pl.DataFrame:
    found = pl.from_arrow(asked.toArrow())
    assert isinstance(found, pl.DataFrame)  # noqa: S101 - a table makes a frame
    return found.drop(_KEY)


def _on_arrow(function: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """The function over a partition: Arrow in, and out as frames in Arrow's file format, whatever their columns."""

    def over_partition(batches: Iterable[Any]) -> Iterator[Any]:
        import io

        import polars as pl
        import pyarrow as pa

        rows = [batch for batch in batches if batch.num_rows]
        if not rows:
            return
        made = function(pl.DataFrame(pa.Table.from_batches(rows)).drop("_customer"))
        for part in made.iter_slices(100_000) if made.height else [made]:
            part.write_ipc(packed := io.BytesIO())
            yield pa.RecordBatch.from_pydict({"frame": [packed.getvalue()]})

    return over_partition


class SparkWarehouse(Warehouse):
    """The working file beside a cluster: what Python writes is offered to it, what dbt builds there comes back.

    Tables live on the cluster for one run, so that nobody's data stays there.
    """

    def __init__(self, file: Path, *, settings: Settings) -> None:
        super().__init__(file, settings=settings)
        self._session = connect(settings.spark_url)
        self.engine = SparkEngine(self._session, buckets=settings.buckets)
        self._offered_dir = file.with_suffix(".spark")
        self._has_raw = False

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """As in `Warehouse`, on a cluster without tables of another run, before and after."""
        self._forget()
        try:
            with super().kept_open():
                yield
        finally:
            self._forget()
            self._session.stop()

    def write(self, key: str, frames: "pl.DataFrame | Iterable[pl.DataFrame]") -> int:
        """As in `Warehouse`; what models and functions read next is offered to the cluster."""
        rows = super().write(key, frames)
        if key.startswith("ml."):
            self._offer(key)
        return rows

    def hand_over(self) -> None:
        """Offer what was received, once a run, and let go of the file."""
        if not self._has_raw:
            for key in self.row_counts():
                if key.startswith("raw."):
                    self._offer(key)
            self._has_raw = True
        super().hand_over()

    def take_back(self, keys: Iterable[str], manifest: Path) -> None:
        """Copy the tables that dbt has built, with the types of their contracts, into the working file."""
        nodes = json.loads(manifest.read_text())["nodes"].values()
        models = {f"{node['schema']}.{node['alias']}": node for node in nodes if node["resource_type"] == "model"}
        with self.connect() as connection:
            for key in [key for key in keys if key in models and _is_read(key)]:
                types = {name: column["data_type"] for name, column in models[key]["columns"].items()}
                files = self._files(key, is_view=models[key]["config"]["materialized"] == "view")
                schema, _, table = key.partition(".")
                connection.execute(f"create schema if not exists {schema}")
                for kind in connection.execute(
                    f"select table_type from information_schema.tables where table_schema = '{schema}' "
                    f"and table_name = '{table}' and table_catalog = current_database()"
                ).fetchall():
                    connection.execute(f"drop {'view' if kind[0] == 'VIEW' else 'table'} {key}")
                connection.execute(f"create table {key} as {_typed(files, types)}")

    def discard(self) -> None:
        """As in `Warehouse`, with what is offered to the cluster."""
        super().discard()
        shutil.rmtree(self._offered_dir, ignore_errors=True)

    def _offer(self, key: str) -> None:
        """Lay a table or view down as Parquet and let the cluster know it by the same name."""
        home = self._offered_dir / key.replace(".", "/")
        shutil.rmtree(home, ignore_errors=True)
        folder = home / str(time.time_ns())  # Spark remembers the files of a folder that it has read
        folder.mkdir(parents=True, mode=0o700)
        with self.connect() as connection:
            connection.execute(
                f"copy (from {key}) to {literal(str(folder))} (format parquet, file_size_bytes '{FILE_BYTES}')"
            )
        self._session.sql(f"create schema if not exists {key.partition('.')[0]}")
        self._session.sql(f"drop table if exists {key}")
        self._session.sql(f"create table {key} using parquet location {literal(str(folder))}")

    def _files(self, key: str, *, is_view: bool) -> list[str]:
        if is_view:
            folder = self._offered_dir / "views" / key
            self._session.table(key).write.mode("overwrite").parquet(str(folder))
            return sorted(map(str, folder.glob("*.parquet")))
        return sorted(unquote(urlparse(file).path) for file in self._session.table(key).inputFiles())

    def _forget(self) -> None:
        kept = self._tables_dir()
        for schema in (*BUILT, *GIVEN):
            self._session.sql(f"drop schema if exists {schema} cascade")
            if kept:
                shutil.rmtree(kept / f"{schema}.db", ignore_errors=True)
        shutil.rmtree(self._offered_dir, ignore_errors=True)
        self._has_raw = False

    def _tables_dir(self) -> Path | None:
        """Where Spark's own catalog keeps tables: a server that was restarted no longer knows what lies there."""
        place = urlparse(self._session.conf.get("spark.sql.warehouse.dir") or "")
        is_own = self._session.catalog.currentCatalog() == "spark_catalog" and place.scheme in ("", "file")
        return Path(unquote(place.path)) if is_own and place.path else None


def _is_read(key: str) -> bool:
    return key.partition(".")[0] in BUILT[:3] or key in BETWEEN


def _typed(files: list[str], types: Mapping[str, str]) -> str:
    """A query over files with the contract's types; columns beside the contract are as they are."""
    casts = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in types.items() if kind)
    replaced = f" replace ({casts})" if casts else ""
    return f"select *{replaced} from read_parquet([{', '.join(map(literal, files))}])"


def open_warehouse(file: Path, *, settings: Settings) -> Warehouse:
    """The warehouse of the engine that the settings name."""
    return (
        SparkWarehouse(file, settings=settings)
        if settings.dbt_target == "spark"
        else Warehouse(file, settings=settings)
    )
