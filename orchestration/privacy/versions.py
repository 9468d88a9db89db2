"""Places of copied tables: published versions, rewritten into fresh files and swapped in, and caches, which go.

A version keeps its name and its place under the link: a reader sees it before or after, and a kill at any point leaves
what the next erasure, or run, goes on with.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestration.privacy.places import Home, Persons, is_theirs, keep_persons, keyed_tables, keys
from orchestration.privacy.registry import KEY, Place
from orchestration.publishing import overview
from orchestration.publishing.generations import (
    DATABASE,
    MANIFEST,
    Generation,
    current_link,
    generations,
    public_tables,
    read_manifest,
    swap,
    versions_dir,
)
from orchestration.publishing.publish import build
from orchestration.storage.kept_files import sync, sync_all
from orchestration.warehouse import Connection, Warehouse, literal, reader, records

_BUILDING, _BUILT, _OLD, _LINKED = ".erasing-", ".erased-", ".before-erasure-", ".linking-"
_WORK = "work.duckdb"
_COMMENTS = """
    select schema_name || '.' || table_name as name, null as column_name, comment from duckdb_tables()
    where database_name = 'before' and comment is not null
    union all
    select schema_name || '.' || table_name, column_name, comment from duckdb_columns()
    where database_name = 'before' and comment is not null
"""


@dataclass(frozen=True)
class Versions:
    """Every kept version of what BI reads."""

    home: Home
    place: Place

    def _own(self) -> list[Generation]:
        known = generations(self.home.settings)
        return [one for one in known if one.manifest["source"] == self.home.source.name]

    def erase(self, persons: Persons) -> int:
        """Rewrite every version in which they are; how many rows went from all tables."""
        heal(self.home)
        count = 0
        for generation in self._own():
            rows = _their_rows(generation, persons)
            if rows:
                _rewrite(self.home, generation, persons)
                heal(self.home)
                count += rows
        return count

    def tell(self, persons: Persons) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Their rows by version and table."""
        found = {}
        for generation in self._own():
            with reader(generation.folder / DATABASE) as connection:
                keep_persons(connection, persons)
                found[generation.run_id] = {
                    name: rows
                    for name, known in keyed_tables(connection).items()
                    if (rows := records(connection, f"from {name} where {is_theirs(known)}"))
                }
        return {version: tables for version, tables in found.items() if tables}

    def known(self) -> Iterator[tuple[set[str], set[str]]]:
        """Ids in every table of every version."""
        for generation in self._own():
            with reader(generation.folder / DATABASE) as connection:
                for name, known in keyed_tables(connection).items():
                    ids = {one for key in keys(known) for one in _distinct(connection, name, key)}
                    guests = f"where {KEY} is null" if "transaction_id" in known and KEY in known else "where false"
                    has = "transaction_id" if "transaction_id" in known else "null"
                    yield ids, _distinct(connection, name, has, guests)


@dataclass(frozen=True)
class Cache:
    """A working file: disposable, made again by the next run."""

    home: Home
    place: Place

    def erase(self, persons: Persons) -> int:  # noqa: ARG002 - whoever is in it, it goes
        """Remove it with its log and what spilled."""
        file = self.home.settings.data_dir / self.place.path
        found = [*file.parent.glob(f"{file.name}*"), *file.parent.glob(f"{file.stem}.spill")]
        for one in found:
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        return len(found)

    def tell(self, persons: Persons) -> str:  # noqa: ARG002 - the same for everybody
        """Nothing of its own."""
        return "A working copy of the tables above, made again by every run."

    def known(self) -> Iterator[tuple[set[str], set[str]]]:
        """None: it goes whoever is in it."""
        yield from ()


def heal(home: Home) -> None:
    """Finish what a kill left: a version that was rewritten gets its name back, half-written ones go."""
    versions, link = versions_dir(home.settings), current_link(home.settings)
    for left in versions.glob(".*"):  # of a publication that was killed as well
        if not left.name.startswith((_BUILT, _OLD)):
            shutil.rmtree(left)
    for built in versions.glob(f"{_BUILT}*"):
        place = versions / built.name.removeprefix(_BUILT)
        is_new = (place / MANIFEST).exists() and (place / MANIFEST).samefile(built / MANIFEST)
        if not is_new:
            if link.resolve() == place:
                swap(link, built)
            if place.exists():
                place.rename(versions / f"{_OLD}{place.name}")
            linking = versions / f"{_LINKED}{place.name}"
            shutil.copytree(built, linking, copy_function=os.link)
            linking.rename(place)
            sync(versions)
        if link.resolve() == built:
            swap(link, place)
        shutil.rmtree(built)
    for old in versions.glob(f"{_OLD}*"):
        shutil.rmtree(old)


def _their_rows(generation: Generation, persons: Persons) -> int:
    with reader(generation.folder / DATABASE) as connection:
        keep_persons(connection, persons)
        queries = [f"select count(*) as n from {t} where {is_theirs(c)}" for t, c in keyed_tables(connection).items()]
        return sum(row["n"] for query in queries for row in records(connection, query))


def _rewrite(home: Home, generation: Generation, persons: Persons) -> None:
    """Build the version without them, verified, ready for `heal` to put into its place."""
    versions = versions_dir(home.settings)
    building, built = versions / f"{_BUILDING}{generation.run_id}", versions / f"{_BUILT}{generation.run_id}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True, mode=generation.folder.stat().st_mode & 0o777)
    work = Warehouse(building / _WORK, settings=home.settings)
    with work.connect() as connection:
        keep_persons(connection, persons)
        connection.execute(f"attach {literal(str(generation.folder / DATABASE))} as before (read_only)")
        connection.execute("use before")
        names, keyed = public_tables(connection), keyed_tables(connection)
        left = {name: f"(from before.{name} where not {is_theirs(keyed.get(name, ()))})" for name in names}
        found = build(connection, left, folder=building, comments=_comments(connection))
    work.discard()
    if (generation.folder / overview.OVERVIEW).exists():
        overview.draw(building, found, home.settings)
    manifest = (read_manifest(generation.folder) or {}) | {"erased_at": datetime.now(UTC).isoformat(timespec="seconds")}
    for name, (count, digest) in found.items():
        manifest["tables"][name] |= {"row_count": count, "hash": digest}
    (building / MANIFEST).write_text(json.dumps(manifest, indent=1))
    for file in building.rglob("*"):
        before = generation.folder / file.relative_to(building)
        file.chmod(before.stat().st_mode & 0o777)
    sync_all(building)
    building.rename(built)
    sync(versions)


def _comments(connection: Connection) -> dict[str, dict[str, Any]]:
    """The comments on the tables of `before`, as `build` takes them."""
    comments: dict[str, dict[str, Any]] = {}
    for row in records(connection, _COMMENTS):
        table = comments.setdefault(row["name"], {"columns": {}})
        if row["column_name"]:
            table["columns"][row["column_name"]] = row["comment"]
        else:
            table["description"] = row["comment"]
    return comments


def _distinct(connection: Connection, table: str, column: str, where: str = "") -> set[str]:
    rows = connection.execute(f"select distinct cast({column} as varchar) from {table} {where}").fetchall()
    return {row[0] for row in rows if row[0] is not None}
