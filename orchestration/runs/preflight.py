"""Before the work: may we write everywhere, and is there room? A run that cannot end is better not begun."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from orchestration.errors import ClienteleError
from orchestration.settings import Settings

LEAST_BYTES: Final = 64 * 1024**2  # what the smallest shop writes in a run
NOTHING_BYTES: Final = 1024**2
GROWTH: Final = 1.2  # a day may be larger than the one before


def check(settings: Settings) -> None:
    """Look at the folders and at the free space, measured by what is published and by the working file.

    Raises:
        ClienteleError: a folder cannot be written, or there is not enough room.
    """
    folders = (
        settings.data_dir,
        settings.raw_dir,
        settings.vault_dir,
        settings.history_dir,
        settings.published_dir,
        settings.dagster_home,
    )
    closed = [folder for folder in folders if folder.exists() and not os.access(folder, os.W_OK | os.X_OK)]
    if closed:
        raise ClienteleError(
            f"{', '.join(map(str, closed))}: no permission to write. Nothing was changed; run as their owner."
        )
    _demand(settings, GROWTH * _size(settings.published_dir / "current") + _size(settings.warehouse_file))


def room_to_publish(settings: Settings, warehouse: Path) -> None:
    """Look at the free space before another version is built: it takes no more than the working file holds.

    Raises:
        ClienteleError: there is not enough room.
    """
    _demand(settings, GROWTH * (_size(settings.published_dir / "current") or _size(warehouse)))


def is_full(settings: Settings) -> bool:
    """Whether there is next to no room."""
    return shutil.disk_usage(settings.data_dir).free < NOTHING_BYTES


def full(settings: Settings) -> ClienteleError:
    """The error of a disk that filled up during the work."""
    return ClienteleError(
        f"{settings.data_dir}: the disk is full: {shutil.disk_usage(settings.data_dir).free:,} bytes are free. "
        "What was published before stays, and nothing that was kept is lost. Make room and run again: that is all."
    )


@contextmanager
def told_when_full(settings: Settings) -> Iterator[None]:
    """A write that found no room, as the error of a full disk with path and bytes.

    Raises:
        ClienteleError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise full(settings) from error


def _demand(settings: Settings, needed: float) -> None:
    free, needed = shutil.disk_usage(settings.data_dir).free, max(LEAST_BYTES, int(needed))
    if free < needed:
        raise ClienteleError(
            f"{settings.data_dir}: {free:,} bytes are free, and this step needs about {needed:,}. What was published "
            "before stays. Make room, or keep fewer versions (CLIENTELE_KEEP_VERSIONS), and run again."
        )


def _size(path: Path) -> int:
    """Bytes of a file, or of everything below a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.resolve().rglob("*") if file.is_file())
    return path.stat().st_size if path.exists() else 0
