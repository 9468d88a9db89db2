"""What is kept, file by file: written by rename, and known by its hash, so that a file that broke is found and named.

Beside each file lies a hidden seal with its SHA-256. What the files mean belongs to whoever keeps them.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.errors import CheckError

if TYPE_CHECKING:  # `clientele status` answers without it
    import polars as pl

SHOWN = 5  # broken files in a message


def replace(file: Path, aside: Path) -> None:
    """Put the finished file `aside` in the place of `file`, in one step, with its seal.

    The seal names the old and the new hash until the step is done: a kill in between leaves a file that is known.
    """
    sync(aside)
    hashes = _sealed(file) if file.exists() else []
    new = digest(aside)
    _seal(file, [*hashes, new])
    aside.replace(file)
    if hashes:
        _seal(file, [new])
    sync(file.parent)


def write(file: Path, content: bytes) -> None:
    """Keep bytes under a name, readable by nobody else, in one step."""
    aside = _aside(file)
    aside.write_bytes(content)
    replace(file, aside)


def write_frame(file: Path, frame: "pl.DataFrame") -> None:
    """Keep a frame as Parquet under a name, readable by nobody else, in one step."""
    aside = _aside(file)
    frame.write_parquet(aside)
    replace(file, aside)


def parquet_files(folder: Path) -> list[Path]:
    """The finished Parquet files of a folder, by name."""
    return sorted(folder.glob("[!.]*.parquet"))


def files(folder: Path) -> list[Path]:
    """The files below a folder that have their names: what a kill left is hidden."""
    shown = (file for file in folder.rglob("[!.]*") if file.is_file())
    return sorted(file for file in shown if not any(part.startswith(".") for part in file.relative_to(folder).parts))


def remove(file: Path) -> None:
    """Remove a kept file with its seal."""
    file.unlink()
    _place(file).unlink(missing_ok=True)


def seal(folder: Path) -> None:
    """Seal every file of a folder that has yet to get its name, and bring all of it to the disk."""
    for file in files(folder):
        _seal(file, [digest(file)])
    sync_all(folder)


def verify(folders: Iterable[Path], *, without: Iterable[Path] = ()) -> None:
    """Read every kept file once and compare it with its seal; one from before there were seals gets its own.

    What lies below `without`, or is such a file, is somebody else's to judge.

    Raises:
        CheckError: a file is not what was kept; nothing is guessed from it.
    """
    passed_over = {*without}
    kept = [file for folder in folders for file in files(folder) if not passed_over & {file, *file.parents}]
    broken = [file for file in kept if not _is_whole(file)]
    if broken:
        more = f"\n- and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
        named = "\n".join(f"- {file}" for file in broken[:SHOWN])
        raise CheckError(
            f"{len(broken)} kept files are not what was kept: their hashes differ.\n{named}{more}\n"
            "Nothing is guessed from them, and what was published before stays. Put them back from a backup; a folder "
            "below raw whose source file is still there may be removed instead, and is received again."
        )


def sync_all(folder: Path) -> None:
    """Bring a folder and everything below it to the disk."""
    for path in (*folder.rglob("*"), folder):
        sync(path)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest(file: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _aside(file: Path) -> Path:
    """An empty private file beside the one that is to be written, hidden until it is finished."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = file.with_name(f".{file.name}")
    aside.unlink(missing_ok=True)
    aside.touch(mode=0o600)
    return aside


def _is_whole(file: Path) -> bool:
    hashes = _sealed(file)
    if not hashes:
        _seal(file, [digest(file)])
        return True
    return digest(file) in hashes


def _sealed(file: Path) -> list[str]:
    place = _place(file)
    return place.read_text().split() if place.exists() else []


def _seal(file: Path, hashes: list[str]) -> None:
    place = _place(file)
    aside = place.with_name(f"{place.name}.new")
    aside.write_text("\n".join(dict.fromkeys(hashes)) + "\n")
    sync(aside)
    aside.replace(place)


def _place(file: Path) -> Path:
    return file.with_name(f".{file.name}.sha256")
