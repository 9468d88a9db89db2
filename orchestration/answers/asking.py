"""A question to the published tables in SQL, and its rows as people and programs read them."""

from typing import Final

import polars as pl
from rich.console import Console
from rich.table import Column, Table

from orchestration.errors import InputError
from orchestration.publishing.generations import DATABASE, current
from orchestration.settings import Settings
from orchestration.warehouse import DatabaseError, reader

SHOWN: Final = 100
"""Rows of a table on a terminal; CSV and JSON have all."""


def rows(sql: str, settings: Settings) -> pl.DataFrame:
    """The rows that answer a question, from the version that BI reads now.

    Raises:
        InputError: nothing is published yet, or DuckDB does not understand the question or refuses it.
    """
    published = current(settings)
    if published is None:
        raise InputError(f"{settings.published_dir}: nothing is published yet. `clientele run` publishes.")
    try:
        with reader(published.folder / DATABASE) as connection:
            answer = connection.sql(sql)
            if answer is None:
                raise InputError("This is no question: only one that gives rows can be asked of published tables.")
            found: pl.DataFrame = answer.pl()
            return found
    except DatabaseError as error:
        raise InputError(str(error).partition("\n\n")[0]) from None


def show(found: pl.DataFrame, console: Console) -> None:
    """Print the first rows as a table, and how many there are."""
    columns = [Column(name, overflow="fold") for name in found.columns]
    drawn = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in found.head(SHOWN).iter_rows():
        drawn.add_row(*("" if value is None else str(value) for value in row))
    console.print(drawn, highlight=False, markup=False)
    more = f", the first {SHOWN} are shown; --format csv has all" if found.height > SHOWN else ""
    console.print(f"{found.height:,} rows{more}", style="dim", highlight=False)


def as_csv(found: pl.DataFrame) -> str:
    """The rows as CSV with a header."""
    return found.write_csv()


def as_json(found: pl.DataFrame) -> str:
    """The rows as a JSON array of objects, money as exact as it is."""
    return found.with_columns(pl.col(pl.Decimal).cast(pl.String)).write_json() + "\n"
