"""SHA-256 of data files, read again only where a file may have changed.

A file's inode, size, change and status times stand for its content once it has been quiet for two seconds: status time
cannot be set by hand. The list is a cache; without it every file is read once more.
"""

import hashlib
import json
import time
from pathlib import Path
from typing import Final

_QUIET_NS: Final = 2_000_000_000

Stamp = list[int]


class FileHashes:
    """Hashes by path, kept in one JSON file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._known: dict[str, list[str | Stamp]] = json.loads(file.read_bytes())
        except (FileNotFoundError, ValueError):  # a cache: without it every file is read once more
            self._known = {}

    def of(self, path: Path) -> str:
        """The hash of a file's content.

        Raises:
            OSError: it cannot be read.
        """
        stamp, key = self.stamp(path), str(path.resolve())
        known = self._known.get(key)
        if known and known[1] == stamp:
            return str(known[0])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._known.pop(key, None)
        if time.time_ns() - max(stamp[2:]) > _QUIET_NS and self.stamp(path) == stamp:
            self._known[key] = [digest, stamp]
        return digest

    def knows(self, path: Path) -> bool:
        """Whether the file's content was hashed as it is.

        Raises:
            OSError: it is not there.
        """
        known = self._known.get(str(path.resolve()))
        return known is not None and known[1] == self.stamp(path)

    @staticmethod
    def stamp(path: Path) -> Stamp:
        """What the file system says of a file's content: inode, size, modification and status time in ns."""
        status = path.stat()
        return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]

    def save(self) -> None:
        """Keep what is known, by rename."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = self._file.with_name(f".{self._file.name}")
        aside.write_text(json.dumps(self._known, indent=1, sort_keys=True))
        aside.replace(self._file)
