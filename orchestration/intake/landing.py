"""Rows of databases and APIs, fetched by dlt into Parquet files below the vault, where `ingest` reads them as files.

The only user of dlt, which is an optional extra: nothing here is imported unless a source file names connections.
"""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import SecretStr

from orchestration.errors import InputError
from orchestration.intake.connections import Connection
from orchestration.intake.source_file import Source
from orchestration.settings import Settings

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.extract.source import DltSource

OPTIONS = {
    "runtime.dlthub_telemetry": False,  # nothing leaves the machine but the queries
    "runtime.log_level": "CRITICAL",
    "load.delete_completed_jobs": True,  # else every fetched row stays a second time
    "schema.naming": "direct",  # columns keep the names that they have in the database
}

BUSY_STATUS = {408, 425, 429, 500, 502, 503, 504}
PASSING = re.compile(
    r"connection (refused|reset|timed out)|timeout expired|timed out|server closed the connection|is starting up"
    r"|too many (clients|connections)|database is locked|could not translate host name|name resolution|gone away"
    r"|can't connect to (local )?mysql server|connection aborted|deadlock detected",
    re.IGNORECASE,
)
"""What drivers say of trouble that passes by itself; they have no common kind of error for it."""


def secret(name: str, settings: Settings) -> SecretStr | None:
    """The URL of a database or the secret of an API, from the settings."""
    return settings.connections.get(name.lower())


def missing(source: Source, settings: Settings) -> str | None:
    """What stands between a source's connections and a run, as a sentence; none where nothing does."""
    unset = [name for name, c in source.connections.items() if c.api is None and not secret(name, settings)]
    if unset:
        names = ", ".join(f"CLIENTELE_CONNECTIONS__{name.upper()}" for name in unset)
        return f"{source.path.name}: connections: set {names} to the database's URL, such as postgresql://user:…@host/shop."
    if find_spec("dagster_dlt") is None:
        return f"{source.path.name}: connections need the extra for databases and APIs: `make databases` installs it."
    return None


def fetcher(name: str, connection: Connection, *, given: SecretStr | None) -> "DltSource":
    """What dlt runs for one connection; nothing is connected to before it runs."""
    import dlt

    for option, value in OPTIONS.items():
        dlt.config[option] = value
    if connection.api is not None:
        return _api(name, connection, given)
    return _database(name, connection, given)


def pipeline(name: str, *, source: Source, settings: Settings) -> "Pipeline":
    """Where dlt writes, and remembers what it has fetched: `vault/landing/<source>/<connection>/<table>/`."""
    import dlt

    home = settings.landing_dir / source.name
    for folder in (settings.vault_dir, home):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = dlt.destinations.filesystem(
        bucket_url=home.as_uri(), layout="{table_name}/{load_id}.{file_id}.{ext}", max_state_files=5
    )
    return dlt.pipeline(f"{source.name}_{name}", pipelines_dir=str(home / ".dlt"), destination=files, dataset_name=name)


def settle(folder: Path, *, is_incremental: bool) -> int:
    """Give a table that is fetched whole one file with a lasting name, so that an unchanged one is known by its hash.

    Returns the rows of all files in the folder.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return 0
    fetched = pl.scan_parquet(files, missing_columns="insert", extra_columns="ignore")
    if not is_incremental:
        whole, aside = folder / f"{folder.name}.parquet", folder / f".{folder.name}.parquet"
        own = [column for column in fetched.collect_schema().names() if not column.startswith("_dlt_")]
        fetched.select(own).sink_parquet(aside)
        for file in files:
            file.unlink()
        aside.replace(whole)
        fetched = pl.scan_parquet(whole)
    return int(fetched.select(pl.len()).collect().item())


def may_pass(error: BaseException) -> bool:
    """Whether the cause of a failed fetch may be gone in a minute: nobody there, too busy, cut off, or locked.

    A wrong password, a table that is not there or a query that is refused is wrong in a minute as well.
    """
    while cause := error.__cause__ or error.__context__:
        error = cause
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status in BUSY_STATUS or bool(PASSING.search(str(error)))


def explained(name: str, error: BaseException, given: SecretStr | None) -> InputError:
    """The first cause of a failed fetch in one line, without the URL's password or a row's values."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    password = re.search(r"://[^:/@]*:([^@]+)@", given.get_secret_value()) if given else None
    for hidden in filter(None, (given and given.get_secret_value(), password and password[1])):
        line = line.replace(hidden, "***")
    return InputError(
        f"connections.{name}: {line[:300]} Nothing was fetched; what was received and published before stays."
    )


def _database(name: str, connection: Connection, given: SecretStr | None) -> "DltSource":
    import dlt
    from dlt.sources.sql_database import sql_table

    @dlt.source(name=name)
    def tables() -> Iterator[Any]:
        for key, table in connection.tables.items():
            resource = sql_table(
                credentials=given.get_secret_value() if given else "sqlite://",
                table=table.table or key,
                schema=connection.schema_name,
                backend="pyarrow",
                reflection_level="full_with_precision",
                defer_table_reflect=True,
                query_adapter_callback=None if table.cursor else _in_order,
                write_disposition="append" if table.cursor else "replace",
                incremental=dlt.sources.incremental(table.cursor, row_order="asc") if table.cursor else None,
            )
            resource = resource.with_name(key)
            resource.apply_hints(table_name=key)
            yield resource

    return tables()


def _in_order(query: Any, table: Any) -> Any:
    """The same rows give the same file: a database returns them in any order unless asked."""
    return query.order_by(*table.primary_key.columns) if len(table.primary_key.columns) else query


def _api(name: str, connection: Connection, given: SecretStr | None) -> "DltSource":
    from dlt.sources.rest_api import rest_api_source

    resources = [
        {
            "name": key,
            "table_name": key,
            "endpoint": table.endpoint,
            "write_disposition": "append" if table.is_incremental else "replace",
        }
        for key, table in connection.tables.items()
    ]
    config: Any = {"client": connection.client(given), "resources": resources}
    return rest_api_source(config, name=name, max_table_nesting=0)
