"""What was received, on disk: one folder per version of a file, appearing in one step, and who stands for which name.

Deciding whether a file is new belongs in `ingest`; reading it, in `file_reader`.
"""

import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from orchestration.errors import InputError
from orchestration.intake.file_hashes import FileHashes, Stamp
from orchestration.intake.file_reader import FileReader, Reading
from orchestration.intake.refusal import Rule, Tally
from orchestration.storage import kept_files
from orchestration.warehouse import literal

PROVENANCE: Final = {
    "_source_file": "varchar",
    "_row_number": "bigint",
    "_file_hash": "varchar",
    "_received_at": "timestamp",
    "_is_excluded": "boolean",
    "_keep_repeats": "boolean",
    "_defect": "varchar",
}
"""What every raw row says about itself. `_row_number` is the line in a text file, the row in a Parquet file, from 1.

`_defect` names what made a line unreadable (such a row has no values), or the column that its options do not fit.
"""


_TUPLES: Final = ("names", "erased", "emptied_hashes")


@dataclass(frozen=True)
class Delivery:
    """One received version of one file of one entity, as described in `delivery.json` beside its rows.

    `names` are the files that have this content now: none where all of them changed; `place` is what the rows took
    from the file's own name. `row_count` is of all rows received; those `erased` since, or refused at once, are in a
    newer `revision` no longer. `emptied_hashes` are of the fetched file without them; `pseudonym_key` is the
    fingerprint of the key under whose pseudonyms the rows are kept, empty for the source's own ids.
    """

    source: str
    entity: str
    source_file: str
    file_hash: str
    mapping_hash: str
    received_at: str
    row_count: int = 0
    place: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    revision: int = 0
    erased: tuple[Tally, ...] = ()
    emptied_hashes: tuple[str, ...] = ()
    pseudonym_key: str = ""

    @property
    def folder_name(self) -> str:
        """Unique within the entity, sorted by arrival."""
        return self.reading + (f"-{self.revision}" if self.revision else "")

    @property
    def reading(self) -> str:
        """What all revisions of a delivery share."""
        return f"{re.sub('[^0-9]', '', self.received_at)}-{self.file_hash[:12]}"

    def has(self, file_hash: str, mapping_hash: str, place: dict[str, str]) -> bool:
        """Whether these are the rows of such a file read with such a mapping."""
        is_same = file_hash in (self.file_hash, *self.emptied_hashes)
        return is_same and (self.mapping_hash, self.place) == (mapping_hash, place)


def read_deliveries(home: Path, *, source: str) -> list[Delivery]:
    """All deliveries of one source below an entity's raw folder, each in its newest revision, in order of arrival."""
    contents = [json.loads(file.read_text()) for file in home.glob("[!.]*/delivery.json")]
    found = [
        Delivery(**(content | {name: tuple(content[name]) for name in _TUPLES if name in content}))
        for content in contents
        if content["source"] == source
    ]
    newest = {delivery.reading: delivery for delivery in sorted(found, key=lambda delivery: delivery.revision)}
    return [newest[reading] for reading in sorted(newest)]


def received_by(deliveries: Iterable[Delivery], known_at: datetime | None) -> list[Delivery]:
    """The deliveries as they stood at a moment (UTC): later ones had not come, and superseded nothing."""
    if known_at is None:
        return list(deliveries)
    known = [d for d in deliveries if datetime.fromisoformat(d.received_at) <= known_at]
    newest = {delivery.source_file: delivery for delivery in known}
    return [replace(d, names=d.names or (d.source_file,)) if newest[d.source_file] is d else d for d in known]


def current_deliveries(deliveries: Iterable[Delivery]) -> dict[str, Delivery]:
    """The delivery that stands for each file name, the newest: deliveries without a name are superseded."""
    return {name: delivery for delivery in deliveries for name in delivery.names}


def rename(delivery: Delivery, names: Iterable[str], *, homes: Iterable[Path]) -> Delivery:
    """Let a delivery stand for other file names; its rows stay as they are."""
    renamed = replace(delivery, names=tuple(names))
    for home in homes:
        folder = home / delivery.folder_name
        if folder.is_dir():
            describe(renamed, folder)
    return renamed


def deliver(
    delivery: Delivery,
    reader: FileReader,
    *,
    raw: Path,
    vault: Path,
    known: dict[str, str],
    stamp: Stamp,
    rule: Rule,
) -> tuple[Delivery, Reading]:
    """Write one delivery under hidden names, then rename: the vault first, so that raw marks it complete.

    `known` are the columns of the last delivery of the same kind; `stamp` is the file's when it was hashed.

    Raises:
        InputError: the file cannot be read as its mapping says, or is still being written; nothing of it is kept.
    """
    columns, private = reader.part.columns, reader.entity.private
    homes = {raw: [name for name in columns if name not in reader.source.private(reader.entity.name)]}
    if set(private) & set(columns):
        whose = {*private, *reader.entity.required, "customer_id"}
        homes[vault] = [name for name in columns if name in whose]
    folders = {home / f".{delivery.folder_name}": names for home, names in homes.items()}
    scratch = vault / f".{delivery.folder_name}-scratch"  # what is written while reading may hold what raw never does
    try:
        for folder in [*folders, scratch]:
            folder.mkdir(parents=True, mode=0o700)
        constants = _constants(delivery, reader)
        reading = reader.copy(folders, scratch=scratch, constants=constants, known=known, rule=rule)
        if FileHashes.stamp(reader.path) != stamp:
            raise InputError(
                f"{reader.shown} changed while it was read. Nothing of it was kept. Run again once it is complete."
            )
        delivery = replace(delivery, row_count=reading.row_count, columns=reading.columns, erased=reading.erased)
        for folder in reversed(folders):
            describe(delivery, folder)
            kept_files.seal(folder)
            folder.rename(folder.with_name(delivery.folder_name))
            kept_files.sync(folder.parent)
    finally:
        for folder in [*folders, scratch]:
            shutil.rmtree(folder, ignore_errors=True)
    return delivery, reading


def clear_unfinished(raw: Path, vault: Path) -> None:
    """Remove what a killed run left: hidden folders, vault deliveries whose raw half never appeared, old revisions."""
    orphans = [folder for folder in vault.glob("[!.]*") if not (raw / folder.name).is_dir()]
    for folder in [*raw.glob(".*"), *vault.glob(".*"), *orphans]:
        shutil.rmtree(folder)
    for home in (raw, vault):
        newest: dict[str, Path] = {}
        for folder in sorted(home.glob("*"), key=lambda folder: _revision(folder.name)):
            older = newest.get(_reading(folder.name))
            newest[_reading(folder.name)] = folder
            if older:
                shutil.rmtree(older)


def _reading(folder_name: str) -> str:
    return "-".join(folder_name.split("-")[:2])


def _revision(folder_name: str) -> int:
    return int((folder_name.split("-")[2:] or ["0"])[0])


def _constants(delivery: Delivery, reader: FileReader) -> dict[str, str]:
    return {
        "_source_file": literal(delivery.source_file),
        "_file_hash": literal(delivery.file_hash),
        "_received_at": f"{literal(delivery.received_at)}::timestamp",
        "_keep_repeats": str(reader.part.options.repeats == "keep").lower(),
    }


def describe(delivery: Delivery, folder: Path) -> None:
    """Write `delivery.json` beside the rows, in one step."""
    kept_files.write(folder / "delivery.json", json.dumps(asdict(delivery), indent=1, sort_keys=True).encode())
