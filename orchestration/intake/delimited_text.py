"""The careful reader: physical lines of delimited text to records, so that a defect costs its own line and no other.

A quoted value may span lines. Where a quote never closes, or closes only after lines that are records by themselves,
its line is unreadable and reading goes on with the next one. Encodings and files belong in `plain_text`.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from orchestration.intake.plain_text import LONGEST_RECORD

MOST_LINES: Final = 1_000
"""A value spans at most so many lines; a quote that is still open then was never meant to be one."""

_NUMERIC = re.compile(r"[-+ ]*\d[-+\d.,:/ T]*")
_SAMPLE = 1_000

Line = tuple[int, bytes | None]
_Text = tuple[int, str | None]


@dataclass(frozen=True)
class Dialect:
    """How delimited text is written; an empty `quote` switches quoting off, `escape` is a doubled quote if none."""

    delimiter: str
    quote: str = '"'
    escape: str | None = None

    @cached_property
    def _csv(self) -> dict[str, Any]:
        quoting = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quote or None,
            "quoting": quoting,
            "escapechar": self.escape,
            "doublequote": self.escape is None,
            "strict": True,
        }

    @cached_property
    def _padded(self) -> re.Pattern[str]:
        """Spaces between a delimiter and a quote, which people write and which mean nothing."""
        mark, quote = re.escape(self.delimiter), re.escape(self.quote)
        return re.compile(f"(?:^|{mark}) +{quote}|{quote} +(?:{mark}|\\r?$)", re.MULTILINE)

    def is_padded(self, text: str) -> bool:
        """Whether a value may have spaces around its quotes."""
        is_possible = bool(self.quote) and self.delimiter != " " and self.quote in text
        return is_possible and self._padded.search(text) is not None

    def parse_all(self, texts: Iterable[str]) -> list[list[str]]:
        """The records of lines.

        Raises:
            csv.Error: a line is no record.
        """
        return list(csv.reader(texts, **self._csv))

    def parse(self, text: str) -> tuple[list[str] | None, bool]:
        """The values of one record, or none; and whether a quote is still open at its end."""
        if self.is_padded(text):
            values, is_open = self._parse(self._padded.sub(lambda found: found[0].replace(" ", ""), text))
            if values is not None:
                return values, is_open
        return self._parse(text)

    def _parse(self, text: str) -> tuple[list[str] | None, bool]:
        try:
            rows = self.parse_all([text])
        except csv.Error as error:
            return None, "unexpected end" in str(error)
        return (rows[0] if rows else []), False


@dataclass
class Records:
    """The records of one block of lines: their first lines and values, and the lines that are none."""

    numbers: list[int] = field(default_factory=list)
    values: list[list[str]] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)


def records(blocks: Iterable[list[Line]], *, dialect: Dialect, width: int, after: int) -> Iterator[Records]:
    """Every line after line `after` as part of a record of `width` values, as unreadable, or as blank."""
    csv.field_size_limit(LONGEST_RECORD)
    reader = _Reader(dialect, width)
    pending: list[_Text] = []
    for block in blocks:
        fresh = [(number, decode(line)) for number, line in block if number > after]
        found = None if pending else reader.all_plain(fresh)
        if found is None:
            found, pending = reader.one_by_one(pending + fresh, is_last=False)
        yield found
    yield reader.one_by_one(pending, is_last=True)[0]


def decode(line: bytes | None) -> str | None:
    """The text of a line, or none where it is not UTF-8, has a NUL byte, or is too long."""
    if line is None or b"\0" in line:
        return None
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def is_blank(text: str | None) -> bool:
    """Whether a line has nothing in it, so that it is no row of anything."""
    return text in ("", "\r")


class _Reader:
    def __init__(self, dialect: Dialect, width: int) -> None:
        self._dialect = dialect
        self._width = width
        self._numeric: list[int] | None = None

    def all_plain(self, block: list[_Text]) -> Records | None:
        """The fast way: as many records as lines means that each line is one."""
        lines = [(number, text) for number, text in block if not is_blank(text)]
        texts = [text for _, text in lines if text is not None]
        if len(texts) < len(lines) or self._dialect.is_padded("\n".join(texts)):
            return None
        try:
            rows = self._dialect.parse_all(texts)
        except csv.Error:
            return None
        if len(rows) != len(lines) or any(len(row) != self._width for row in rows):
            return None
        return Records([number for number, _ in lines], rows)

    def one_by_one(self, block: list[_Text], *, is_last: bool) -> tuple[Records, list[_Text]]:
        """The records of a block, and the lines at its end that need the next block to be judged."""
        if self._numeric is None:
            self._numeric = self._numeric_columns(text for _, text in block[:_SAMPLE] if text is not None)
        found, at = Records(), 0
        while at < len(block):
            number, text = block[at]
            if is_blank(text):
                at += 1
                continue
            values, taken = (None, 1) if text is None else self._record(block, at, text)
            if not taken and not is_last:
                break
            if values is None:
                found.unreadable.append(number)
            else:
                found.numbers.append(number)
                found.values.append(values)
            at += taken or 1
        return found, block[at:]

    def _record(self, block: list[_Text], at: int, first: str) -> tuple[list[str] | None, int]:
        """The record that starts at `at` and its number of lines: one where it is none, 0 while it is still open."""
        values, is_open = self._dialect.parse(first)
        parts = [first]
        while is_open:
            if at + len(parts) == len(block):
                return None, 0
            text = block[at + len(parts)][1]
            if text is None or len(parts) == MOST_LINES or self._is_record(text):
                return None, 1
            parts.append(text)
            if self._dialect.quote in text:
                values, is_open = self._dialect.parse("\n".join(parts))
        return (values, len(parts)) if values is not None and len(values) == self._width else (None, 1)

    def _is_record(self, text: str) -> bool:
        """Whether a line inside an open quote is plainly a record: as many values, and numbers where the others are."""
        values, _ = self._dialect.parse(text) if self._numeric else (None, False)
        if values is None or len(values) != self._width:
            return False
        numbers = [values[column] for column in self._numeric or () if values[column]]
        return bool(numbers) and all(map(_NUMERIC.fullmatch, numbers))

    def _numeric_columns(self, texts: Iterable[str]) -> list[int]:
        """Columns whose values are numbers or dates in nine of ten lines that are records by themselves."""
        rows = [values for values, _ in map(self._dialect.parse, texts) if values and len(values) == self._width]
        columns = []
        for column in range(self._width if self._width > 1 else 0):
            filled = [row[column] for row in rows if row[column]]
            if filled and sum(_NUMERIC.fullmatch(value) is not None for value in filled) >= 0.9 * len(filled):
                columns.append(column)
        return columns
