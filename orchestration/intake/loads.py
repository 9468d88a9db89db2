"""What happened to each file: kept append-only as the record of loads, and seen by dbt as `raw.loads`.

Deciding what happened belongs in `ingest`.
"""

import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from orchestration.intake.source_file import Source
from orchestration.settings import Settings
from orchestration.storage import kept_files
from orchestration.warehouse import Connection, literal

SCHEMA: Final = {
    "entity": pl.String(),
    "source_file": pl.String(),
    "outcome": pl.String(),
    "row_count": pl.Int64(),
    "received_at": pl.Datetime("us"),
    "note": pl.String(),
}


@dataclass(frozen=True)
class Load:
    """What happened to one file in one run.

    `outcome` is loaded, changed (its rows replace those before), unchanged, renamed (same content, the old name is
    gone), repeated (the same content as another file, not loaded again) or missing (its rows stay).
    """

    entity: str
    source_file: str
    outcome: str
    row_count: int
    received_at: str = field(default="", compare=False)
    note: str | None = field(default=None, compare=False)


def keep(loads: list[Load], *, source: Source, settings: Settings) -> int:
    """Append what is news: a file that is unchanged, or missing as before, adds no row; returns how many did.

    So the record stays as long as what happened, and the same files run twice give the same table.
    """
    frame = pl.DataFrame(
        [asdict(load) | {"received_at": datetime.fromisoformat(load.received_at)} for load in loads], schema=SCHEMA
    )
    last = read(source=source, settings=settings).unique(["entity", "source_file"], keep="last", maintain_order=True)
    missing = last.filter(pl.col("outcome") == "missing").select("entity", "source_file", "outcome")
    news = frame.filter(pl.col("outcome") != "unchanged").join(
        missing, on=["entity", "source_file", "outcome"], how="anti"
    )
    if news.height:
        stamp = re.sub("[^0-9]", "", datetime.now(UTC).isoformat(timespec="microseconds")[:26])
        kept_files.write_frame(_home(source, settings) / f"{stamp}-{news['entity'][0]}.parquet", news)
    return news.height


def read(*, source: Source, settings: Settings) -> pl.DataFrame:
    """Every load of a source on record, oldest first."""
    files = kept_files.parquet_files(_home(source, settings))
    return pl.concat([pl.read_parquet(file) for file in files]) if files else pl.DataFrame(schema=SCHEMA)


def register(connection: Connection, *, source: Source, settings: Settings, known_at: datetime | None = None) -> None:
    """Make the view `raw.loads` over the record up to `known_at`."""
    files = ", ".join(literal(str(file)) for file in kept_files.parquet_files(_home(source, settings)))
    types = {"row_count": "bigint", "received_at": "timestamp"}
    nothing = ", ".join(f"null::{types.get(name, 'varchar')} as {name}" for name in SCHEMA)
    rows = f"select {', '.join(SCHEMA)} from read_parquet([{files}])" if files else f"select {nothing} where false"
    if files and known_at:
        rows += f" where received_at <= {literal(known_at.isoformat())}::timestamp"
    connection.execute("create schema if not exists raw")
    connection.execute(f"create or replace view raw.loads as {rows}")


def _home(source: Source, settings: Settings) -> Path:
    return settings.history_dir / "loads" / source.name
