"""Build aside, verify, swap: the versioned folder that BI reads.

A version holds the database with the public schemas, the same tables as Parquet, and a manifest with counts and
hashes. What is in the tables was decided before; nothing is computed here. What is kept belongs in `generations`, and
taking persons out of it in `privacy.versions`, which builds by the same `build`.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from orchestration.errors import CheckError
from orchestration.publishing import overview
from orchestration.publishing.generations import (
    DATABASE,
    MANIFEST,
    PUBLIC_SCHEMAS,
    Generation,
    checksum,
    columns,
    current,
    current_link,
    fingerprints,
    prune,
    public_tables,
    swap,
    versions_dir,
)
from orchestration.runs import preflight
from orchestration.runs.news import software
from orchestration.runs.run import Run
from orchestration.storage.kept_files import sync, sync_all
from orchestration.storage.permissions import share
from orchestration.warehouse import STORAGE_VERSION, Connection, literal, quoted, reader

SCHEMA_VERSION = 1
"""Raised with every breaking change: a published table or column that is gone, or a column of another type."""


@dataclass(frozen=True)
class Published:
    """What was published: where, and per table how many rows with which hash."""

    folder: Path
    tables: dict[str, dict[str, Any]]
    unchanged_since: str | None = None  # the run that made the tables, where it was an earlier one


def publish(run: Run, *, as_of: date, comments: Mapping[str, Mapping[str, Any]]) -> Published:
    """Build a version beside the current one, verify it after reopening, and make it current unless it is scratch.

    `comments` are descriptions by `schema.table`: of the table, and of its columns by name.

    Raises:
        CheckError: the built file does not hold what the warehouse holds, or a table has lost what BI may rely on; what
            was published before stays.
        ClienteleError: there is no room for another version.
    """
    building = _building(run)
    preflight.room_to_publish(run.settings, run.warehouse.file)
    building.mkdir(parents=True)
    with run.warehouse.connect() as connection:
        names = public_tables(connection)
        shapes = {name: columns(connection, name) for name in names}
        _refuse_breaking_changes(run, shapes)
        found = build(connection, {name: name for name in names}, folder=building, comments=comments)
    overview.draw(building, found, run.settings)
    return _finished(run, building, _manifest(run, as_of, found, shapes))


def publish_again(run: Run, last: Generation) -> Published:
    """Publish the tables of the last version as those of this run: no news makes other ones.

    The files are the same ones under a second name, where the disk knows such; the manifest says since when they are.
    """
    building = _building(run)
    shutil.copytree(last.folder, building, copy_function=_linked)
    (building / MANIFEST).unlink()
    now = {"unchanged_since": last.run_id} | last.manifest | _of_this_run(run)
    return _finished(run, building, now)


def _building(run: Run) -> Path:
    """Where this run's version is built: hidden, and not there yet."""
    building = versions_dir(run.settings) / f".{run.run_id}"
    shutil.rmtree(building, ignore_errors=True)
    return building


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without hard links
        shutil.copy2(source, target)


def _finished(run: Run, building: Path, manifest: dict[str, Any]) -> Published:
    """Give the built version its manifest and its name, and let BI read it unless it is scratch."""
    versions, folder = versions_dir(run.settings), versions_dir(run.settings) / run.run_id
    (building / MANIFEST).write_text(json.dumps(manifest, indent=1))
    share(building, run.settings)
    sync_all(building)
    building.rename(folder)
    sync(versions)
    if not run.is_scratch:
        swap(current_link(run.settings), folder)
    prune(run.settings, but=folder)
    return Published(folder, manifest["tables"], manifest.get("unchanged_since"))


def build(
    connection: Connection, relations: Mapping[str, str], *, folder: Path, comments: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[int, str]]:
    """Write relations, by `schema.table`, as a DuckDB file that old clients open and as Parquet; gives fingerprints.

    Columns keep their comments.

    Raises:
        CheckError: the file, opened again, does not hold what the relations hold.
    """
    expected = {name: checksum(connection, relation) for name, relation in relations.items()}
    target = literal(str(folder / DATABASE))
    connection.execute(f"attach {target} as clientele (storage_version {literal(STORAGE_VERSION)})")
    for schema in PUBLIC_SCHEMAS:
        connection.execute(f"create schema clientele.{schema}")
        (folder / "parquet" / schema).mkdir(parents=True)
    for name, relation in relations.items():
        connection.execute(f"create table clientele.{name} as from {relation}")
        mirror = folder / "parquet" / f"{name.replace('.', '/')}.parquet"
        connection.execute(f"copy clientele.{name} to {literal(str(mirror))} (format parquet, compression zstd)")
        described = _comments(name, comments.get(name, {}), list(columns(connection, relation)))
        connection.execute("; ".join(["begin", *described, "commit"]))  # written to the disk once, not by column
    connection.execute("detach clientele")
    with reader(folder / DATABASE) as reopened:
        found = {name: checksum(reopened, name) for name in public_tables(reopened)}
        if found != expected:
            wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
            raise CheckError(f"Building stopped: {', '.join(wrong)} differ after copying. The last version stays.")
        return fingerprints(reopened)


def breaking_changes(before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What a query on the tables `before` would miss `now`; both are types by column by `schema.table`."""
    found = []
    for table, known in before.items():
        if table not in now:
            found.append(f"{table} is gone")
        else:
            for column, kind in known.items():
                if column not in now[table]:
                    found.append(f"{table}.{column} is gone")
                elif now[table][column] != kind:
                    found.append(f"{table}.{column} was {kind} and is {now[table][column]}")
    return found


def _refuse_breaking_changes(run: Run, shapes: Mapping[str, Mapping[str, str]]) -> None:
    """Compare with what is published; columns that a source file declares are its own to change."""
    last = current(run.settings)
    if last is None or last.manifest["schema_version"] < SCHEMA_VERSION:
        return
    tables = {name: table.get("columns", {}) for name, table in last.manifest["tables"].items()}
    declared = {f"marts.dim_customers.{name}" for name in last.manifest.get("declared_columns", ())}
    changes = [change for change in breaking_changes(tables, shapes) if change.partition(" ")[0] not in declared]
    if changes:
        raise CheckError(
            f"Publishing stopped: published tables changed in a way that breaks queries: {'; '.join(changes)}. "
            "The last version stays. Bring them back, or raise SCHEMA_VERSION in orchestration/publishing/publish.py."
        )


def _comments(name: str, described: Mapping[str, Any], names: list[str]) -> list[str]:
    statements = [f"comment on table clientele.{name} is {literal(described.get('description', ''))}"]
    by_column = described.get("columns", {})
    return statements + [
        f"comment on column clientele.{name}.{quoted(column)} is {literal(by_column[column])}"
        for column in names
        if by_column.get(column)
    ]


def _manifest(
    run: Run, as_of: date, tables: Mapping[str, tuple[int, str]], shapes: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    return {
        **_of_this_run(run),
        "source": run.source.name,
        "as_of_date": as_of.isoformat(),
        "is_scratch": run.is_scratch,
        "schema_version": SCHEMA_VERSION,
        "declared_columns": list(run.source.attributes),
        "software": software(),
        "tables": {
            name: {"row_count": count, "hash": digest, "columns": shapes[name]}
            for name, (count, digest) in tables.items()
        },
    }


def _of_this_run(run: Run) -> dict[str, str]:
    """What a manifest says of the run alone."""
    return {
        "run_id": run.run_id,
        "published_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "known_at": run.known_at.isoformat(),
    }
