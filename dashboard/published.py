"""The published version that BI reads, as the dashboard asks it: rows of a query, definitions, and which version it is.

Every number is read from `published/current` through a connection that can write nothing and reach nothing else.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from orchestration.publishing.generations import DATABASE, read_manifest
from orchestration.warehouse import Connection, reading


@dataclass(frozen=True)
class Published:
    """One published version: a folder that never changes once it has its name."""

    folder: Path

    @classmethod
    def current(cls, published_dir: Path) -> "Published | None":
        """The version that BI reads now; none before the first publication."""
        folder = (published_dir / "current").resolve()
        return cls(folder) if read_manifest(folder) else None

    def rows(self, query: str, *values: object) -> pl.DataFrame:
        """The rows of a query; `values` stand for its question marks."""
        with closing(self._connection.cursor()) as cursor:
            found: pl.DataFrame = cursor.sql(query, params=list(values)).pl()
            return found.with_columns(pl.col(pl.Decimal).cast(pl.Float64))

    def value(self, query: str, *values: object) -> Any:
        """The only value of a query."""
        return self.rows(query, *values).item()

    @cached_property
    def _connection(self) -> Connection:
        """Opened once: to open it for every question takes longer than to ask, and pages ask at the same time."""
        return reading(self.folder / DATABASE)

    @property
    def as_of(self) -> date:
        """The day whose end all tables describe."""
        day: date = self._day["as_of_date"]
        return day

    @property
    def source(self) -> str:
        """The source that all tables come from."""
        return str(self._day["source_name"])

    @property
    def currency(self) -> str:
        """The currency of all money."""
        return str(self._day["currency"])

    @cached_property
    def _day(self) -> dict[str, Any]:
        return self.rows("from marts.dim_as_of").row(0, named=True)

    @cached_property
    def _definitions(self) -> dict[str, str]:
        """What tables and columns are, by `schema.table` and `schema.table.column`, as dbt describes them."""
        found = self.rows(
            "select schema_name || '.' || table_name as name, comment from duckdb_tables() where comment is not null "
            "union all select schema_name || '.' || table_name || '.' || column_name, comment from duckdb_columns() "
            "where comment is not null"
        )
        return dict(found.iter_rows())

    def definition(self, table: str, column: str | None = None) -> str:
        """What a table or a column is, in dbt's words."""
        return self._definitions.get(f"{table}.{column}" if column else table, "")
