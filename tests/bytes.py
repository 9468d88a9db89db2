"""A search for texts in every file of a folder: in its bytes, and in what is packed in them."""

import re
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import polars as pl

from orchestration.settings import Settings
from orchestration.warehouse import Warehouse

SHORT = 8
"""Texts below so many characters are looked for in what is packed, not in packed bytes: those may come to look like
them, such as `c0123` in a table of symbols `c0`, `12`, `3`. And they are looked for as words: a hash may hold `c0123`.
"""
PACKED = (".parquet", ".duckdb", ".db", ".skops", ".zip", ".png")
COMMENTED = "select comment from duckdb_columns() union all select comment from duckdb_tables()"


def holding(folder: Path, texts: Iterable[str], *, settings: Settings) -> dict[str, list[str]]:
    """Those of some texts that each file below a folder holds."""
    wanted = {text: _pattern(text) for text in texts}
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not file.is_symlink()]
    found = {str(file.relative_to(folder)): _in(file, wanted, settings) for file in files}
    return {name: texts for name, texts in found.items() if texts}


def _pattern(text: str) -> re.Pattern[bytes]:
    whole = re.escape(text.encode())
    return re.compile(rb"(?<![0-9A-Za-z])" + whole + rb"(?![0-9A-Za-z])" if len(text) < SHORT else whole)


def _in(file: Path, wanted: dict[str, re.Pattern[bytes]], settings: Settings) -> list[str]:
    left, there = dict(wanted), []
    for number, said in enumerate(contents(file, settings=settings)):
        is_packed = number == 0 and file.suffix in PACKED
        now = [t for t, pattern in left.items() if not (is_packed and len(t) < SHORT) and pattern.search(said)]
        there += now
        left = {text: pattern for text, pattern in left.items() if text not in now}
    return there


def contents(file: Path, *, settings: Settings) -> Iterator[bytes]:
    """Everything that a file says: its bytes, and what is packed in them."""
    yield file.read_bytes()
    if file.suffix == ".parquet":
        yield as_text(pl.read_parquet(file))
    elif file.suffix == ".duckdb":
        with Warehouse(file, settings=settings).connect() as connection:
            names = connection.execute(
                "select schema_name || '.' || table_name from duckdb_tables() where not internal"
            ).fetchall()
            for query in [*(f"from {name}" for (name,) in names), "select sql from duckdb_views()", COMMENTED]:
                yield as_text(connection.sql(query).pl())
    elif file.suffix == ".db":
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            yield "\n".join(connection.iterdump()).encode()
    elif zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                yield archive.read(name)


def as_text(frame: pl.DataFrame) -> bytes:
    """A frame as lines of text."""
    return frame.with_columns(pl.all().cast(pl.String)).write_csv().encode()
