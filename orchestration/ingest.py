"""Source files to raw Parquet: each file once, by its hash, every row with its file and row number.

A delivery is one version of one file, in a folder of its own that appears in one step. Direct identifiers and free
text go to the vault and never into raw. What a value means is decided later, in dbt's staging.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from orchestration.entities import Entity
from orchestration.settings import Settings
from orchestration.source import Source
from orchestration.source_reader import SourceReader
from orchestration.warehouse import Connection, literal

PROVENANCE: Final = {
    "_source_file": "varchar",
    "_row_number": "bigint",
    "_file_hash": "varchar",
    "_received_at": "timestamp",
    "_is_excluded": "boolean",
    "_keep_repeats": "boolean",
    "_defect": "varchar",
}
"""What every raw row says about itself. `_defect` names what made a line unreadable; such a row has no values."""


@dataclass(frozen=True)
class Delivery:
    """One received version of one file of one entity, as described in `delivery.json` beside its rows."""

    source: str
    entity: str
    source_file: str
    file_hash: str
    mapping_hash: str
    received_at: str
    row_count: int = 0

    @property
    def folder_name(self) -> str:
        """Unique within the entity, sorted by arrival."""
        return f"{re.sub('[^0-9]', '', self.received_at)}-{self.file_hash[:12]}"


@dataclass(frozen=True)
class Load:
    """What happened to one file in one run: `loaded`, `changed` or `unchanged`."""

    entity: str
    source_file: str
    outcome: str
    row_count: int


def ingest(entity: Entity, *, source: Source, settings: Settings) -> list[Load]:
    """Bring the raw Parquet of one entity up to date with its files.

    Raises:
        InputError: a file is missing or unreadable, or an expression does not fit it; nothing of that file is kept.
    """
    home = settings.raw_dir / entity.name
    _clear_unfinished(home, settings.vault_dir / entity.name)
    current = current_deliveries(read_deliveries(home, source=source.name))
    loads = []
    for part in source.entities.get(entity.name, ()):
        mapping_hash = hashlib.sha256(part.model_dump_json(exclude={"files"}).encode()).hexdigest()
        for shown, path in source.files(part, entity=entity.name):
            content = (_file_hash(path), mapping_hash)
            known = [d for d in current.values() if (d.file_hash, d.mapping_hash) == content]
            if known:
                loads.append(Load(entity.name, shown, "unchanged", known[0].row_count))
                continue
            received_at = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
            delivery = Delivery(source.name, entity.name, shown, *content, received_at)
            reader = SourceReader(path, shown, part, entity, source)
            outcome = "changed" if shown in current else "loaded"
            current[shown] = _deliver(delivery, reader, home, settings.vault_dir / entity.name)
            loads.append(Load(entity.name, shown, outcome, current[shown].row_count))
    return loads


def read_deliveries(home: Path, *, source: str) -> list[Delivery]:
    """All deliveries of one source below an entity's raw folder, in order of arrival."""
    found = [Delivery(**json.loads(file.read_text())) for file in sorted(home.glob("[!.]*/delivery.json"))]
    return [delivery for delivery in found if delivery.source == source]


def current_deliveries(deliveries: Iterable[Delivery]) -> dict[str, Delivery]:
    """The newest delivery of each file, by file: the others are superseded."""
    return {delivery.source_file: delivery for delivery in deliveries}


def register(connection: Connection, entity: Entity, *, source: Source, settings: Settings) -> None:
    """Make the view `raw.<entity>` over what was received, with every contract column, mapped or not.

    The same content read again under a changed mapping replaces its older reading instead of adding to it.
    """
    home = settings.raw_dir / entity.name
    deliveries = read_deliveries(home, source=source.name)
    readings = {(d.source_file, d.file_hash): d for d in deliveries}.values()
    table = "(select 1 where false)"
    present: set[str] = set()
    if readings:
        paths = ", ".join(literal(str(home / d.folder_name / "*.parquet")) for d in readings)
        table = f"read_parquet([{paths}], union_by_name = true)"
        present = {row[0] for row in connection.execute(f"describe from {table}").fetchall()}
    attributes = source.attributes if entity.takes_attributes else ()
    columns = dict.fromkeys([*entity.public, "updated_at", *attributes], "varchar") | PROVENANCE
    selected = [name if name in present else f"null::{kind} as {name}" for name, kind in columns.items()]
    stamps = [literal(d.received_at) for d in current_deliveries(deliveries).values()]
    superseded = f"_received_at not in ({', '.join(stamps)})" if stamps else "false"
    connection.execute("create schema if not exists raw")
    connection.execute(
        f"create or replace view raw.{entity.name} as "
        f"select {', '.join(selected)}, {superseded} as _is_superseded from {table}"
    )


def _deliver(delivery: Delivery, reader: SourceReader, raw: Path, vault: Path) -> Delivery:
    """Write one delivery under hidden names, then rename: the vault first, so that raw marks it complete."""
    columns, private = reader.part.columns, reader.entity.private
    folders = {raw: [name for name in columns if name not in private]}
    if set(private) & set(columns):
        folders[vault] = [name for name in columns if name in private or name in reader.entity.required]
    hidden = {home / f".{delivery.folder_name}": names for home, names in folders.items()}
    constants = {
        "_source_file": literal(delivery.source_file),
        "_file_hash": literal(delivery.file_hash),
        "_received_at": f"{literal(delivery.received_at)}::timestamp",
        "_keep_repeats": str(reader.part.options.repeats == "keep").lower(),
    }
    try:
        for folder in hidden:
            folder.mkdir(parents=True, mode=0o700)
        delivery = replace(delivery, row_count=reader.copy(hidden, constants=constants))
        description = json.dumps(asdict(delivery), indent=1, sort_keys=True)
        for folder in reversed(hidden):
            (folder / "delivery.json").write_text(description)
            folder.rename(folder.with_name(delivery.folder_name))
    except BaseException:
        for folder in hidden:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return delivery


def _clear_unfinished(raw: Path, vault: Path) -> None:
    """Remove what a killed run left: hidden folders, and vault deliveries whose raw half never appeared."""
    orphans = [f for f in vault.glob("[!.]*") if not (raw / f.name).is_dir()]
    for folder in [*raw.glob(".*"), *vault.glob(".*"), *orphans]:
        shutil.rmtree(folder)


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
