"""Files of a source that are not received yet, judged by the file system alone: nothing is opened or hashed.

What becomes of them belongs in `orchestration.ingest`.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestration.intake.file_hashes import FileHashes
from orchestration.intake.file_patterns import FETCHED, matches
from orchestration.intake.source_file import Source
from orchestration.settings import Settings


@dataclass(frozen=True)
class Arrived:
    """Files that are new or changed, those of them that changed just now, and a name for this state."""

    files: tuple[Path, ...]
    growing: tuple[Path, ...]
    fingerprint: str


def arrived(source: Source, settings: Settings, *, now: datetime) -> Arrived:
    """The files that no run has seen as they are; one that changed within the settling time may still be growing.

    Raises:
        InputError: wildcards match a link that leads elsewhere.
    """
    hashes = FileHashes(settings.file_hashes)
    new, growing, digest = [], [], hashlib.sha256()
    for path in _files(source, settings):
        try:
            stamp = hashes.stamp(path)
            if hashes.knows(path):
                continue
        except OSError:  # gone again, or a link to nothing
            continue
        new.append(path)
        if now.timestamp() - max(stamp[2:]) / 1e9 < settings.file_settle_seconds:
            growing.append(path)
        digest.update(f"{path}\0{stamp}\0".encode())
    return Arrived(tuple(new), tuple(growing), digest.hexdigest()[:16] if new else "")


def _files(source: Source, settings: Settings) -> list[Path]:
    """Every file that the source's patterns and lookups match now; what is fetched does not arrive by itself."""
    parts = [part for parts in source.entities.values() for part in parts]
    patterns = {pattern for part in parts for pattern in part.files}
    patterns |= {pattern for part in parts for lookup in part.lookups.values() for pattern in lookup.files}
    where = {"folder": source.path.parent, "landing": settings.landing_dir / source.name}
    found = {path for pattern in patterns if not FETCHED.fullmatch(pattern) for _, path in matches(pattern, **where)}
    return sorted(found)
