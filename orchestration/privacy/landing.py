"""Rows that dlt fetched and that may not be kept: taken out of its files once every entity has received them.

Fetching belongs in `intake.landing`. Which rows they are, the mappings say: a fetched table has its source's columns.
"""

import tempfile
from pathlib import Path

from orchestration.intake.deliveries import read_deliveries
from orchestration.intake.entities import ENTITIES
from orchestration.intake.file_hashes import FileHashes
from orchestration.intake.file_patterns import FETCHED
from orchestration.intake.file_reader import FileReader
from orchestration.intake.revisions import remember_emptied, without_rows
from orchestration.intake.source_file import Part, Source
from orchestration.privacy.ingest_rules import received_rule
from orchestration.settings import Settings


def scrub_landing(source: Source, settings: Settings) -> list[Path]:
    """Rewrite every fetched file that holds rows which may not be kept; gives those files.

    Their deliveries know them by their new hashes, so that nothing counts as changed.
    """
    refused: dict[Path, set[int]] = {}
    for name, entity in ENTITIES.items():
        rule = received_rule(entity, source=source, settings=settings)
        if not rule.is_refusing:
            continue
        for reader in fetched_readers(name, source, settings):
            with tempfile.TemporaryDirectory(dir=settings.vault_dir, prefix=".scrub-") as scratch:
                for file, rows in reader.refused(rule, scratch=Path(scratch)).items():
                    refused.setdefault(file, set()).update(rows)
    hashes, renamed = FileHashes(settings.file_hashes), {}
    emptied = sorted(file for file, rows in refused.items() if rows and settings.landing_dir in file.parents)
    for file in emptied:
        before = hashes.of(file)
        without_rows(file, sorted(refused[file]))
        renamed[before] = hashes.of(file)
    for name in ENTITIES if renamed else ():
        home = settings.raw_dir / name
        for delivery in read_deliveries(home, source=source.name):
            remember_emptied(delivery, renamed, homes=[home, settings.vault_dir / name])
    return emptied


def fetched_readers(entity: str, source: Source, settings: Settings) -> list[FileReader]:
    """The fetched files of an entity, as its parts read them."""
    return [reader for part in source.entities.get(entity, ()) for reader in _fetched(part, entity, source, settings)]


def _fetched(part: Part, entity: str, source: Source, settings: Settings) -> list[FileReader]:
    """The fetched files of a part, as it reads them; its lookups as well."""
    if not any(FETCHED.fullmatch(pattern) for pattern in part.files):
        return []
    looked_up = source.lookup_files(part, entity=entity, landing=settings.landing_dir)
    return [
        FileReader(path, shown, part, ENTITIES[entity], source, looked_up)
        for shown, path in source.files(part, entity=entity, landing=settings.landing_dir)
        if settings.landing_dir in path.parents
    ]
