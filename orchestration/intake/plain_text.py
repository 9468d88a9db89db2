"""Text files as they come (compressed, in any encoding) to plain UTF-8 bytes, with what a first look tells about them.

Only bytes and lines are known here; what a record or a column is belongs in `text_files`.
"""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal, cast

import pyarrow as pa

from orchestration.errors import InputError

Encoding = Literal["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"]

LONGEST_RECORD: Final = 2**21
"""Bytes of the longest record that is read; DuckDB's own limit, kept so that memory stays bounded."""

COMPRESSED: Final = (".gz", ".zst")
_CHUNK = 2**22
_UNDECODABLE = "clientele.undecodable"

# What an encoding cannot say becomes a byte that UTF-8 cannot say either, so that only its own line is unreadable.
codecs.register_error(_UNDECODABLE, lambda error: ("\udcff", cast("UnicodeDecodeError", error).end))


@dataclass(frozen=True)
class PlainText:
    """A file of UTF-8 text: where it is, how many lines it has, and whether every line is what it seems."""

    path: Path
    line_count: int
    newline: Literal["\n", "\r\n", "\r"] | None  # none: several kinds
    is_sound: bool  # UTF-8 throughout, without a NUL byte
    is_utf8: bool


def suffix(name: str) -> str:
    """The ending that tells the format: `.csv` of `sales.csv.gz`, in lower case."""
    path = Path(name.lower())
    return (path.with_suffix("") if path.suffix in COMPRESSED else path).suffix


def expose(path: Path, *, scratch: Path) -> Path:
    """The file under a plain name in `scratch`, decompressed if its name says that it is compressed.

    Hostile file names end here: whoever reads the result never sees the original name.

    Raises:
        OSError: the file is damaged or gone.
    """
    target = scratch / "exposed"
    if path.suffix.lower() not in COMPRESSED:
        target.symlink_to(path.absolute())
        return target
    with _decompressed(path) as file, target.open("wb") as copy:
        for chunk in _chunks(file):
            copy.write(chunk)
    return target


def to_plain(path: Path, *, encoding: Encoding, scratch: Path) -> PlainText:
    """Transcode an exposed file to UTF-8 where it is written otherwise, and look at every byte once."""
    with path.open("rb") as file:
        if encoding.startswith("utf-8"):
            return _look(path, _chunks(file))
        target = scratch / "plain"
        with target.open("wb") as copy:
            return _look(target, _written(_transcoded(file, encoding), copy))


def lines(text: PlainText) -> Iterator[list[tuple[int, bytes | None]]]:
    """Blocks of physical lines with their numbers from 1; none stands for a line longer than the longest record."""
    newline = b"\r" if text.newline == "\r" else b"\n"
    rest, number, is_too_long = b"", 0, False
    with text.path.open("rb") as file:
        for chunk in _chunks(file):
            *ended, rest = (rest + chunk).split(newline)
            block: list[tuple[int, bytes | None]] = []
            for line in ended:
                number += 1
                block.append((number, None if is_too_long or len(line) > LONGEST_RECORD else line))
                is_too_long = False
            if len(rest) > LONGEST_RECORD:
                rest, is_too_long = b"", True
            yield block
    if rest or is_too_long:
        yield [(number + 1, None if is_too_long else rest)]


def _look(path: Path, chunks: Iterator[bytes]) -> PlainText:
    decoder = codecs.getincrementaldecoder("utf-8")()
    feeds = returns = pairs = 0
    has_nul, is_utf8, last = False, True, b""
    for chunk in chunks:
        feeds += chunk.count(b"\n")
        returns += chunk.count(b"\r")
        pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
        has_nul = has_nul or b"\0" in chunk
        if is_utf8 and (decoder.getstate()[0] or not chunk.isascii()):
            is_utf8 = _decodes(decoder, chunk)
        last = chunk[-1:]
    is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
    newline: Literal["\n", "\r\n", "\r"] | None = None
    if not returns:
        newline = "\n"
    elif returns == feeds == pairs:
        newline = "\r\n"
    elif not feeds:
        newline = "\r"
    count = (feeds or returns) + (last not in (b"", b"\n" if feeds else b"\r"))
    return PlainText(path, count, newline, is_utf8 and not has_nul, is_utf8)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _transcoded(file: IO[bytes], encoding: Encoding) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors=_UNDECODABLE)
    for chunk in _chunks(file):
        yield decoder.decode(chunk).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", True).encode("utf-8", "surrogateescape")


def _written(chunks: Iterator[bytes], copy: IO[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        copy.write(chunk)
        yield chunk


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


@contextmanager
def _decompressed(path: Path) -> Iterator[IO[bytes]]:
    """The decompressed bytes; damage is an `OSError` whichever library finds it."""
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path) as file:
                yield cast("IO[bytes]", file)
        else:
            with pa.OSFile(str(path)) as raw, pa.CompressedInputStream(raw, "zstd") as stream:
                yield stream
    except (EOFError, zlib.error) as error:
        raise OSError(f"damaged: {error}") from None


def as_unreadable(shown: str, error: OSError) -> InputError:
    """What to tell about a file that cannot be opened or is damaged; paths of this machine stay out of it."""
    reason = error.strerror or str(error)
    return InputError(
        f"{shown}: it cannot be read ({reason}). Nothing of this file was kept. Deliver it again, or correct its name."
    )
