"""One source file through the eyes of its mapping: bind the expressions, count the rows, copy them to Parquet.

All SQL of a source file runs here, in a connection that can touch this file and the target folder only. Which files
are new, and where deliveries live, belongs in `ingest`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestration.entities import Entity
from orchestration.errors import InputError
from orchestration.source import Part, Source, nearest
from orchestration.warehouse import Connection, DatabaseError, literal, quoted, sandbox


@dataclass(frozen=True)
class SourceReader:
    """Reads one file of one part of an entity; `shown` is the file's name as people know it."""

    path: Path
    shown: str
    part: Part
    entity: Entity
    source: Source

    @property
    def is_parquet(self) -> bool:
        """Whether the file carries its own types; anything else is read as delimited text."""
        return self.path.suffix == ".parquet"

    def count(self) -> int:
        """Bind every expression and count the readable rows, without keeping anything.

        Raises:
            InputError: the file cannot be read, or an expression does not fit it.
        """
        with sandbox(files=[self.path]) as connection:
            self._bind(connection)
            with self._explained(are_values_read=True):
                return int(connection.execute(f"select count(*) from {self._table}").fetchall()[0][0])

    def copy(self, folders: dict[Path, list[str]], *, constants: dict[str, str]) -> int:
        """Copy the named contract columns to `rows.parquet` in each folder; returns the number of rows received.

        `constants` are SQL expressions that each row gets as well. Lines that cannot be read become rows without
        values in `unreadable.parquet`, with their line number.

        Raises:
            InputError: as `count`; what was written by then is the caller's to remove.
        """
        with sandbox(files=[self.path], folders=list(folders)) as connection:
            self._bind(connection)
            received = 0
            for folder, names in folders.items():
                with self._explained(are_values_read=True):
                    received = self._copy_rows(connection, folder, names, constants)
            return received

    def _copy_rows(self, connection: Connection, folder: Path, names: list[str], constants: dict[str, str]) -> int:
        number = "file_row_number + 1" if self.is_parquet else "row_number() over ()"
        excluded = f"({self.part.where}\n) is not true" if self.part.where else "false"
        fixed = ", ".join(f"{sql} as {name}" for name, sql in constants.items())
        mapped = ", ".join(f"({self.part.columns[name]}\n) as {quoted(name)}" for name in names)
        query = (
            f"select {mapped}, _row_number, {excluded} as _is_excluded, {fixed} "
            f"from (select *, {number} as _row_number from {self._table})"
        )
        received = _write(connection, query, folder / "rows.parquet")
        if not self.is_parquet:
            query = (
                f"select line::bigint as _row_number, false as _is_excluded, 'unreadable_line' as _defect, {fixed} "
                f"from (select distinct line from reject_errors)"
            )
            received += _write(connection, query, folder / "unreadable.parquet")
        return received

    @property
    def _table(self) -> str:
        """The SQL that reads the file: typed columns from Parquet, text from anything else."""
        file = literal(str(self.path))
        if self.is_parquet:
            return f"read_parquet({file}, file_row_number = true)"
        options = self.part.options
        nulls = ", ".join(map(literal, options.null_markers))
        delimiter = f", delim = {literal(options.delimiter)}" if options.delimiter else ""
        return (
            f"read_csv({file}, all_varchar = true, header = true, store_rejects = true, rejects_limit = 0, "
            f"encoding = '{options.encoding}', nullstr = [{nulls}]{delimiter})"
        )

    def _bind(self, connection: Connection) -> None:
        """Bind each expression alone, so that an error names the field it came from."""
        with self._explained():
            header = [row[0] for row in connection.execute(f"describe from {self._table}").fetchall()]
        fields = {f"columns.{name}": sql for name, sql in self.part.columns.items()}
        if self.part.where:
            fields["where"] = self.part.where
        for field, sql in fields.items():
            try:
                connection.execute(f"describe select ({sql}\n) from {self._table}")
            except DatabaseError as error:
                unknown = re.search(r'column "([^"]+)"', str(error))
                reason = (
                    f"{self.shown} has no column '{unknown[1]}'{nearest(unknown[1], header)}"
                    if unknown
                    else f"`{sql}` is no SQL expression over the columns of {self.shown} ({_first_line(error)})"
                )
                raise InputError(f"{self._place}.{field}: {reason}") from None

    @property
    def _place(self) -> str:
        return f"{self.source.path.name}: entities.{self.entity.name}"

    @contextmanager
    def _explained(self, *, are_values_read: bool = False) -> Iterator[None]:
        """Turn a database error into a sentence; once values are read, DuckDB quotes them, so its words stay out."""
        try:
            yield
        except DatabaseError as error:
            kind = "a Parquet file" if self.is_parquet else "delimited text"
            if are_values_read and not type(error).__name__.startswith("IO"):
                detail = (
                    "a row is damaged, or a value does not fit an expression: "
                    "use try_cast, try_strptime or the like in the expressions"
                )
            else:
                detail = f"it cannot be read as {kind}: {_first_line(error)}"
            raise InputError(
                f"{self._place}: {self.shown}: {detail}. Nothing of this file was kept. "
                f"Correct the file, or its options in {self.source.path.name}."
            ) from None


def _write(connection: Connection, query: str, target: Path) -> int:
    copied = connection.execute(f"copy ({query}) to {literal(str(target))} (format parquet, compression zstd)")
    return int(copied.fetchall()[0][0])


def _first_line(error: DatabaseError) -> str:
    """The first line of an error, without paths of this machine."""
    line = str(error).splitlines()[0].partition(": ")[2]
    return re.sub(r"""["']/[^"']*/([^"'/]+)["']""", r"'\1'", line)[:200].rstrip(".")
