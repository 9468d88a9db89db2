"""Delimited text and JSON lines to a table of text: one row per record, numbered by its line, and no line lost.

Two readers: DuckDB's, fast, believed only where every physical line became one row; and a careful one for files with
defects or values that span lines. What a column means belongs in `file_reader`.
"""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.errors import InputError
from orchestration.intake.delimited_text import MOST_LINES, Dialect, Records, decode, is_blank, records
from orchestration.intake.plain_text import LONGEST_RECORD, PlainText, expose, lines, suffix, to_plain
from orchestration.intake.source_file import FileOptions
from orchestration.warehouse import Connection, DatabaseError, literal, quoted, sandbox

MOST_COLUMNS = 5_000
DELIMITERS = ",;\t|"
JSON_LINES = (".jsonl", ".ndjson", ".json")
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Table:
    """The records of a text file as Parquet with `_row_number`, and the numbers of the lines that are no record."""

    path: Path
    columns: tuple[str, ...]
    unreadable: tuple[int, ...] = ()


def tabulate(path: Path, *, shown: str, options: FileOptions, scratch: Path) -> Table:
    """Any file as a table: Parquet as it is, anything else as records of text.

    Raises:
        InputError: it is no table of the kind that its name says.
        OSError: it cannot be read.
    """
    exposed = expose(path, scratch=scratch)
    kind = suffix(path.name)
    if kind in PARQUET:
        return Table(exposed, ())
    if kind == ".tsv" and not options.delimiter:
        options = options.model_copy(update={"delimiter": "\t"})
    text = to_plain(exposed, encoding=options.encoding, scratch=scratch)
    read = read_json_lines if kind in JSON_LINES else read_delimited
    return read(text, shown=shown, options=options, scratch=scratch)


def read_delimited(text: PlainText, *, shown: str, options: FileOptions, scratch: Path) -> Table:
    """One row per record of a delimited file, every column as text.

    Raises:
        InputError: there is no header line that can be read.
    """
    if not text.line_count:
        raise InputError(f"{shown}: the file is empty, without even a header line. Nothing of it was kept.")
    first = _first_line(text, shown)
    dialect = Dialect(options.delimiter or _delimiter(first), options.quote, options.escape)
    names, after = (options.names, 0) if options.names else _header(text, dialect, shown)
    columns = _unique(names, shown)
    target = scratch / "records.parquet"
    is_plain = (
        text.is_sound and text.newline in ("\n", "\r\n") and dialect.escape is None and after <= 1 and len(columns) > 1
    )
    if is_plain and _read_fast(text, dialect, columns, after, options.nulls, target) == text.line_count - after:
        return Table(target, columns)
    found = records(lines(text), dialect=dialect, width=len(columns), after=after)
    return Table(target, columns, _write(found, columns, target, nulls=options.nulls))


def read_json_lines(text: PlainText, *, shown: str, options: FileOptions, scratch: Path) -> Table:
    """One row per line that is a JSON object: its keys as columns of text, and the whole as the column `json`."""
    received, target = scratch / "lines.parquet", scratch / "records.parquet"
    undecodable = _write(map(_as_records, lines(text)), ("line",), received)
    source = f"read_parquet({literal(str(received))})"
    is_object = "case when json_valid(line) then json_type(line) = 'OBJECT' else false end"
    with sandbox(folders=[scratch]) as connection:
        connection.execute(f"create view objects as select * from {source} where {is_object}")
        broken = connection.execute(f"select _row_number from {source} where not {is_object}").fetchall()
        keys = [
            row[0]
            for row in connection.execute(
                f"select distinct unnest(json_keys(line)) as key from objects order by key limit {MOST_COLUMNS + 1}"
            ).fetchall()
        ]
        columns = _unique([*keys, "json"], shown)
        pointers = [literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in keys]
        nulls = ", ".join(map(literal, options.nulls))
        values = [
            f"case when found[{number}] not in ({nulls}) then found[{number}] end as {quoted(name)}, "
            for number, name in enumerate(columns[:-1], 1)
        ]
        _export(
            connection,
            f"select {''.join(values)} line as {quoted(columns[-1])}, _row_number from (select line, _row_number, "
            f"json_extract_string(line, [{', '.join(pointers)}]::varchar[]) as found from objects)",
            target,
        )
    return Table(target, columns, tuple(sorted([*undecodable, *(row[0] for row in broken)])))


def _first_line(text: PlainText, shown: str) -> str:
    for number, line in chain.from_iterable(lines(text)):
        content = decode(line)
        if content is None:
            raise InputError(
                f"{shown}: line {number}, the first, is no text in the encoding of options.encoding, or utf-8. "
                "Nothing of this file was kept. Set options.encoding: utf-8, latin-1, cp1252 or utf-16."
            )
        if not is_blank(content):
            return content
    raise InputError(f"{shown}: the file has only blank lines, without a header. Nothing of it was kept.")


def _delimiter(line: str) -> str:
    """The most frequent of the usual delimiters in the first line, outside quotes."""
    bare = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def _header(text: PlainText, dialect: Dialect, shown: str) -> tuple[list[str], int]:
    """The column names of the first record, and the number of its last line."""
    csv.field_size_limit(LONGEST_RECORD)
    parts: list[str] = []
    for number, line in chain.from_iterable(lines(text)):
        part = decode(line)
        if part is None or len(parts) > MOST_LINES:
            break
        if not parts and is_blank(part):
            continue
        parts.append(part.removeprefix("\ufeff") if not parts else part)
        names, is_open = dialect.parse("\n".join(parts))
        if names is not None:
            return names, number
        if not is_open:
            break
    raise InputError(
        f"{shown}: its first line is no header: a quote in it does not close. Nothing of this file was kept. "
        "Correct the line, or set options.quote, or options.names where the file has no header."
    )


def _unique(names: Iterable[str], shown: str) -> tuple[str, ...]:
    """Names as SQL can tell them apart: trimmed; empty and repeated ones are told by their position.

    Raises:
        InputError: there are more columns than any table of records has.
    """
    trimmed = [name.strip() for name in names]
    if len(trimmed) > MOST_COLUMNS:
        raise InputError(f"{shown}: more than {MOST_COLUMNS:,} columns. Nothing of this file was kept. Is it a table?")
    counts = Counter(name.casefold() for name in trimmed)
    seen = {"_row_number"}
    unique = []
    for position, name in enumerate(trimmed, 1):
        told = f"{name} (column {position})" if counts[name.casefold()] > 1 else name
        told = told if name else f"column{position}"
        while told.casefold() in seen:
            told += "_"
        seen.add(told.casefold())
        unique.append(told)
    return tuple(unique)


def _read_fast(
    text: PlainText, dialect: Dialect, columns: tuple[str, ...], after: int, nulls: tuple[str, ...], target: Path
) -> int | None:
    """DuckDB's reader: the rows it made, or none where it met a defect."""
    names = ", ".join(f"{literal(name)}: 'varchar'" for name in columns)
    quote = literal(dialect.quote)
    newline = {"\n": "\\n", "\r\n": "\\r\\n"}.get(text.newline or "", "")
    with sandbox(files=[text.path], folders=[target.parent]) as connection:
        try:
            return _export(
                connection,
                f"select *, row_number() over () + {after} as _row_number from read_csv({literal(str(text.path))}, "
                f"auto_detect = false, header = {bool(after)}, columns = {{{names}}}, "
                f"delim = {literal(dialect.delimiter)}, quote = {quote}, escape = {quote}, new_line = '{newline}', "
                f"max_line_size = {LONGEST_RECORD}, nullstr = [{', '.join(map(literal, nulls))}])",
                target,
            )
        except DatabaseError:
            return None


def _export(connection: Connection, query: str, target: Path) -> int:
    done = connection.execute(f"copy ({query}) to {literal(str(target))} (format parquet, compression lz4)")
    return int(done.fetchall()[0][0])


def _write(
    found: Iterable[Records], columns: tuple[str, ...], target: Path, *, nulls: tuple[str, ...] = ()
) -> tuple[int, ...]:
    """Write records as Parquet; returns the numbers of unreadable lines."""
    schema = pa.schema([*((name, pa.string()) for name in columns), ("_row_number", pa.int64())])
    unreadable: list[int] = []
    with pq.ParquetWriter(target, schema, compression="lz4") as writer:
        for block in found:
            unreadable += block.unreadable
            if block.numbers:
                values = [pa.array(column, pa.string()) for column in zip(*block.values, strict=True)]
                if nulls:
                    values = [pc.if_else(pc.is_in(value, pa.array(nulls)), None, value) for value in values]
                writer.write_table(pa.table([*values, pa.array(block.numbers)], schema=schema))
    return tuple(unreadable)


def _as_records(block: list[tuple[int, bytes | None]]) -> Records:
    """Each line as a record of one value."""
    found = Records()
    for number, line in block:
        text = decode(line)
        if text is None:
            found.unreadable.append(number)
        elif text.strip():
            found.numbers.append(number)
            found.values.append([text.removeprefix("\ufeff")])
    return found
