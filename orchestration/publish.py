"""Build aside, verify, swap: the versioned folder that BI reads, and the one link that moves.

A version holds the database with the public schemas, the same tables as Parquet, and a manifest with counts and
hashes. What is in the tables was decided before; nothing is computed here.
"""

import json
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from orchestration.errors import CheckError
from orchestration.permissions import share
from orchestration.run import Run
from orchestration.warehouse import STORAGE_VERSION, Connection, literal, quoted, reader

PUBLIC_SCHEMAS = ("marts", "ml", "quality", "reports")
SCHEMA_VERSION = 1
DATABASE = "clientele.duckdb"
CLOCK_COLUMNS = {"trained_at", "received_at"}  # differ between two runs that are otherwise the same
SOFTWARE = ("clientele", "dagster", "dbt-core", "dbt-duckdb", "duckdb", "polars", "scikit-learn")


@dataclass(frozen=True)
class Published:
    """What was published: where, and per table how many rows with which hash."""

    folder: Path
    tables: dict[str, dict[str, Any]]


def publish(run: Run, *, as_of: date, comments: Mapping[str, Mapping[str, Any]]) -> Published:
    """Build a version beside the current one, verify it after reopening, and make it current unless it is scratch.

    `comments` are descriptions by `schema.table`: of the table, and of its columns by name.

    Raises:
        CheckError: the built file does not hold what the warehouse holds; what was published before stays.
    """
    versions = run.settings.published_dir / "versions"
    building = versions / f".{run.run_id}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    with run.warehouse.connect() as connection:
        names = _public_tables(connection)
        expected = {name: _fingerprint(connection, name) for name in names}
        _copy(connection, names, building, comments)
    with reader(building / DATABASE) as connection:
        found = {name: _fingerprint(connection, name) for name in _public_tables(connection)}
    if found != expected:
        wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
        raise CheckError(f"Publishing stopped: {', '.join(wrong)} differ after copying. The last version stays.")
    manifest = _manifest(run, as_of, found)
    (building / "manifest.json").write_text(json.dumps(manifest, indent=1))
    share(building, run.settings)
    for file in building.rglob("*"):
        _sync(file)
    folder = versions / run.run_id
    building.rename(folder)
    _sync(versions)
    if not run.is_scratch:
        _swap(run.settings.published_dir / "current", folder)
        _prune(versions, keep=run.settings.keep_versions, current=folder)
    return Published(folder, manifest["tables"])


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a published version; none where nothing is published."""
    file = folder / "manifest.json"
    manifest: dict[str, Any] | None = json.loads(file.read_text()) if file.exists() else None
    return manifest


def _copy(connection: Connection, names: list[str], folder: Path, comments: Mapping[str, Mapping[str, Any]]) -> None:
    """The public tables as a DuckDB file that old clients open, and as Parquet; columns keep their comments."""
    target = literal(str(folder / DATABASE))
    connection.execute(f"attach {target} as clientele (storage_version {literal(STORAGE_VERSION)})")
    for schema in PUBLIC_SCHEMAS:
        connection.execute(f"create schema clientele.{schema}")
        (folder / "parquet" / schema).mkdir(parents=True)
    for name in names:
        connection.execute(f"create table clientele.{name} as from {name}")
        mirror = folder / "parquet" / f"{name.replace('.', '/')}.parquet"
        connection.execute(f"copy {name} to {literal(str(mirror))} (format parquet, compression zstd)")
        for statement in _comments(name, comments.get(name, {}), _columns(connection, name)):
            connection.execute(statement)
    connection.execute("detach clientele")


def _comments(name: str, described: Mapping[str, Any], columns: list[str]) -> list[str]:
    statements = [f"comment on table clientele.{name} is {literal(described.get('description', ''))}"]
    by_column = described.get("columns", {})
    return statements + [
        f"comment on column clientele.{name}.{quoted(column)} is {literal(by_column[column])}"
        for column in columns
        if by_column.get(column)
    ]


def _public_tables(connection: Connection) -> list[str]:
    """`schema.table` of every public table, sorted."""
    schemas = ", ".join(map(literal, PUBLIC_SCHEMAS))
    rows = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        f"where table_catalog = current_database() and table_schema in ({schemas}) order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def _columns(connection: Connection, name: str) -> list[str]:
    return [row[0] for row in connection.execute(f"describe {name}").fetchall()]


def _fingerprint(connection: Connection, name: str) -> tuple[int, str]:
    """Row count and a hash of the rows as a set with multiplicity: whatever their order, doubles to 9 places.

    The sum of 64 bits of each row's MD5 equals the hash over sorted rows in what it tells apart, without the sort.
    """
    described = connection.execute(f"describe {name}").fetchall()
    texts = [
        f"coalesce(cast({f'round({quoted(c)}, 9)' if kind == 'DOUBLE' else quoted(c)} as varchar), chr(30))"
        for c, kind, *_ in described
        if c not in CLOCK_COLUMNS
    ]
    row = f"concat_ws(chr(31), {', '.join(texts)})"
    count, total = connection.execute(
        f"select count(*), coalesce(sum(md5_number_lower({row})::hugeint), 0) from {name}"
    ).fetchall()[0]
    return int(count), f"{int(total) % 2**128:032x}"


def _manifest(run: Run, as_of: date, tables: dict[str, tuple[int, str]]) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": run.source.name,
        "as_of_date": as_of.isoformat(),
        "known_at": run.known_at.isoformat(),
        "schema_version": SCHEMA_VERSION,
        "software": {"python": platform.python_version()} | {name: version(name) for name in SOFTWARE},
        "tables": {name: {"row_count": count, "hash": digest} for name, (count, digest) in tables.items()},
    }


def _swap(link: Path, folder: Path) -> None:
    """Point `current` at the version in one step: a reader sees the old one or the new one, never neither."""
    aside = link.with_name(".current")
    aside.unlink(missing_ok=True)
    aside.symlink_to(folder.relative_to(link.parent), target_is_directory=True)
    aside.replace(link)
    _sync(link.parent)


def _prune(versions: Path, *, keep: int, current: Path) -> None:
    """Remove all but the newest versions; whoever still reads an old file keeps it until they close it."""
    finished = sorted(versions.glob("[!.]*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in finished[keep:]:
        if folder != current:
            shutil.rmtree(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
