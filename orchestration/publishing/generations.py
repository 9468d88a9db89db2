"""The published versions that are kept: which there are, whether one is whole, and which of them BI reads.

Building a version belongs in `publish`.
"""

import json
import shutil
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from orchestration.errors import ClienteleError, InputError
from orchestration.settings import Settings
from orchestration.storage.kept_files import sync
from orchestration.warehouse import Connection, DatabaseError, literal, quoted, reader

PUBLIC_SCHEMAS: Final = ("marts", "ml", "activation", "quality", "reports")
"""What is published; every column of theirs is declared by itself."""
DATABASE: Final = "clientele.duckdb"
MANIFEST: Final = "manifest.json"
CLOCK_COLUMNS: Final = {"trained_at", "received_at"}  # differ between two runs that are otherwise the same


@dataclass(frozen=True)
class Generation:
    """One published version: its folder and its manifest."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def run_id(self) -> str:
        """The run that built it."""
        return self.folder.name

    @property
    def as_of(self) -> date:
        """The day that it describes."""
        return date.fromisoformat(self.manifest["as_of_date"])

    @property
    def published_at(self) -> datetime:
        """When it was built."""
        return datetime.fromisoformat(self.manifest["published_at"])

    @property
    def is_scratch(self) -> bool:
        """Whether it was built aside, for a day before the one that was published then."""
        return bool(self.manifest.get("is_scratch"))


def versions_dir(settings: Settings) -> Path:
    """The folder of all versions."""
    return settings.published_dir / "versions"


def current_link(settings: Settings) -> Path:
    """The link that BI follows."""
    return settings.published_dir / "current"


def generations(settings: Settings) -> list[Generation]:
    """The versions that can be read, oldest first; one with a broken manifest is none."""
    found = [(folder, read_manifest(folder)) for folder in versions_dir(settings).glob("[!.]*/")]
    whole = [Generation(folder, manifest) for folder, manifest in found if manifest]
    return sorted(whole, key=lambda generation: (generation.published_at, generation.run_id))


def current(settings: Settings) -> Generation | None:
    """The version that BI reads; none before the first, or where it is broken: the next run publishes anew."""
    folder = current_link(settings).resolve()
    manifest = read_manifest(folder)
    return Generation(folder, manifest) if manifest else None


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a version; none where there is none, or one that is no manifest."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and "tables" in manifest else None


def roll_back(settings: Settings, *, run_id: str | None = None) -> Generation:
    """Let BI read an earlier version, the one before the current if none is named, once every table of it is verified.

    The caller holds the writer lock.

    Raises:
        InputError: there is no such version.
        ClienteleError: it is not what was published; what is current stays.
    """
    kept, now = generations(settings), current(settings)
    offered = [generation for generation in kept if now is None or generation.run_id != now.run_id]
    if run_id is None:
        earlier = [g for g in offered if not g.is_scratch and (now is None or g.published_at < now.published_at)]
        chosen = earlier[-1:]
    else:
        chosen = [generation for generation in offered if generation.run_id.startswith(run_id)]
    if len(chosen) != 1:
        listed = "\n".join(f"- {g.run_id} as of {g.as_of}, published {g.published_at}" for g in offered)
        raise InputError(f"No version to go back to{f' named {run_id}' if run_id else ''}. Kept:\n{listed or '- none'}")
    verify(chosen[0])
    swap(current_link(settings), chosen[0].folder)
    return chosen[0]


def verify(generation: Generation) -> None:
    """Compare every table of a version with its manifest.

    Raises:
        ClienteleError: it cannot be opened, or a table is not what was published.
    """
    expected = {name: (table["row_count"], table["hash"]) for name, table in generation.manifest["tables"].items()}
    try:
        with reader(generation.folder / DATABASE) as connection:
            found = fingerprints(connection)
    except DatabaseError:
        raise ClienteleError(
            f"{generation.folder / DATABASE} cannot be read. What is published now stays; choose another version."
        ) from None
    wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    if wrong:
        raise ClienteleError(
            f"{generation.folder}: {', '.join(wrong)} differ from what was published. What is published now stays."
        )


def swap(link: Path, folder: Path) -> None:
    """Point `current` at a version in one step: a reader sees the old one or the new one, never neither."""
    aside = link.with_name(".current")
    aside.unlink(missing_ok=True)
    aside.symlink_to(folder.relative_to(link.parent), target_is_directory=True)
    aside.replace(link)
    sync(link.parent)


def prune(settings: Settings, *, but: Path) -> None:
    """Remove all but the newest versions, those built aside counted apart, and what killed runs left.

    Whoever still reads an old file keeps it until they close it.
    """
    stays = {but.resolve(), current_link(settings).resolve()}
    for left in versions_dir(settings).glob(".*"):
        if left.resolve() not in stays:
            shutil.rmtree(left)
    known = generations(settings)
    for is_scratch in (False, True):
        alike = [generation.folder for generation in known if generation.is_scratch == is_scratch]
        stays |= {folder.resolve() for folder in alike[-settings.keep_versions :]}
    for folder in versions_dir(settings).glob("[!.]*/"):
        if folder.resolve() not in stays:
            shutil.rmtree(folder)


def public_tables(connection: Connection) -> list[str]:
    """`schema.table` of every public table, sorted."""
    schemas = ", ".join(map(literal, PUBLIC_SCHEMAS))
    rows = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        f"where table_catalog = current_database() and table_schema in ({schemas}) order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def columns(connection: Connection, relation: str) -> dict[str, str]:
    """The columns of a table, or of a query in brackets, and their types, in order."""
    return {column: kind for column, kind, *_ in connection.execute(f"describe select * from {relation}").fetchall()}


def fingerprints(connection: Connection) -> dict[str, tuple[int, str]]:
    """The fingerprint of every public table."""
    return {name: fingerprint(connection, name) for name in public_tables(connection)}


def checksum(connection: Connection, relation: str) -> tuple[int, int]:
    """Row count and the sum of DuckDB's own row hashes, which tells a copy from its original.

    Another version of DuckDB may hash otherwise; a fingerprint stays the same, at eleven times the cost.
    """
    names = ", ".join(map(quoted, columns(connection, relation)))
    count, total = connection.execute(
        f"select count(*), coalesce(sum(hash({names})::hugeint), 0) from {relation}"
    ).fetchall()[0]
    return int(count), int(total)


def fingerprint(connection: Connection, relation: str) -> tuple[int, str]:
    """Row count and a hash of the rows as a set with multiplicity: whatever their order, doubles to 9 places.

    The sum of 64 bits of each row's MD5 equals the hash over sorted rows in what it tells apart, without the sort.
    """
    texts = [
        f"coalesce(cast({f'round({quoted(c)}, 9)' if kind == 'DOUBLE' else quoted(c)} as varchar), chr(30))"
        for c, kind in columns(connection, relation).items()
        if c not in CLOCK_COLUMNS
    ]
    row = f"concat_ws(chr(31), {', '.join(texts)})"
    count, total = connection.execute(
        f"select count(*), coalesce(sum(md5_number_lower({row})::hugeint), 0) from {relation}"
    ).fetchall()[0]
    return int(count), f"{int(total) % 2**128:032x}"
