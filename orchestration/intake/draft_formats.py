"""How dates and numbers of a text file are written, seen from its first rows: what `options` of a source file say."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

DAYS: Final = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y")
OTHERS: Final = ("%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y")
TIMES: Final = ("", " %H:%M", " %H:%M:%S", " %I:%M %p")
PATTERNS: Final = tuple(day + time for day in (*DAYS, *OTHERS) for time in TIMES)
"""What is tried, in order: a day before its month where both fit, as most of the world writes."""
ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?")
COMMA: Final = re.compile(r"[-+]?\d+,\d+|[-+]?\d{1,3}(\.\d{3})+(,\d+)?")
POINT: Final = re.compile(r"[-+]?\d+(\.\d+)?|[-+]?\d{1,3}(,\d{3})+(\.\d+)?")


@dataclass(frozen=True)
class Format:
    """The options that a file needs beside the defaults; `is_ambiguous`: its days may be months as well."""

    date_format: str | None = None
    is_ambiguous: bool = False
    decimal: str = "."
    thousands: str | None = None

    def plain(self, expression: str) -> str:
        """The SQL expression of a column's number as SQL reads it."""
        bare = f"replace({expression}, '{self.thousands}', '')" if self.thousands else expression
        return bare if self.decimal == "." else f"replace({bare}, '{self.decimal}', '.')"

    def line(self) -> str | None:
        """The options as one line of YAML; none where the defaults do."""
        given = [f"date_formats: ['{self.date_format}']"] if self.date_format else []
        given += [f"decimal: '{self.decimal}'"] if self.decimal != "." else []
        given += [f"thousands: '{self.thousands}'"] if self.thousands else []
        if not given:
            return None
        doubt = "; day and month could be the other way round" if self.is_ambiguous else ""
        return f"options: {{{', '.join(given)}}} # guess by its first rows{doubt}"


USUAL: Final = Format()


def format_of(moments: Iterable[Sequence[str]], numbers: Iterable[Sequence[str]]) -> Format:
    """How the columns that hold days or times, and those that hold numbers, are written; each as its first values."""
    dates = [date for column in moments for date in column]
    fitting = [] if all(map(ISO.fullmatch, dates)) else [one for one in PATTERNS if all(_is(one, d) for d in dates)]
    amounts = [number for column in numbers for number in column]
    has_comma = bool(amounts) and any("," in one for one in amounts) and all(_has_comma(one) for one in amounts)
    marks = "." if has_comma else ","
    separated = has_comma or (bool(amounts) and all(map(POINT.fullmatch, amounts)))
    return Format(
        date_format=fitting[0] if fitting else None,
        is_ambiguous=len({re.sub("%[dm]", "", one) for one in fitting}) < len(fitting),
        decimal="," if has_comma else ".",
        thousands=marks if separated and any(marks in one for one in amounts) else None,
    )


def _has_comma(number: str) -> bool:
    return bool(COMMA.fullmatch(number) or re.fullmatch(r"[-+]?\d+", number))


def _is(pattern: str, text: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007 - only whether it fits
    except ValueError:
        return False
    return True
