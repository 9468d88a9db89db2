"""One data file through the eyes of its mapping: bind the expressions, compare with last time, copy to Parquet.

All SQL of a source runs here, in a connection that can touch this file and the target folders only. How bytes
become records belongs in `text_files`; which files are new, and where deliveries live, in `ingest`.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from orchestration.errors import InputError
from orchestration.intake import lookups, mapping, refusal
from orchestration.intake.entities import Entity
from orchestration.intake.known_keys import nearest
from orchestration.intake.plain_text import as_unreadable, suffix
from orchestration.intake.source_file import Part, Source
from orchestration.intake.text_files import JSON_LINES, PARQUET, Table, tabulate
from orchestration.warehouse import Connection, DatabaseError, literal, quoted, sandbox

UNTYPED = "untyped"  # a column of a text file
_FAMILIES = {"number": r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL.*|DOUBLE|FLOAT", "date": "DATE|TIMESTAMP.*"}


@dataclass(frozen=True)
class Reading:
    """What came of one file: rows received, its own columns by type, what a person should know, what was refused."""

    row_count: int
    columns: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    erased: tuple[refusal.Tally, ...] = ()


@dataclass(frozen=True)
class FileReader:
    """Reads one file of one part of an entity, whose name as people know it is `shown`."""

    path: Path
    shown: str
    part: Part
    entity: Entity
    source: Source
    lookup_files: lookups.Files = field(default_factory=dict)

    @property
    def is_parquet(self) -> bool:
        """Whether the file carries its own types; anything else is read as text."""
        return suffix(self.path.name) in PARQUET

    @cached_property
    def place(self) -> dict[str, str]:
        """What the mapping may know from where the file lies: `key=value` folders, and its name if it asks for it."""
        folders = [folder.split("=", 1) for folder in PurePosixPath(self.shown).parts[:-1] if "=" in folder[1:]]
        keys = {key: unquote(value) for key, value in folders}
        expressions = [*self.part.columns.values(), self.part.where or ""]
        asks = any(re.search(r"\bfilename\b", sql, re.IGNORECASE) for sql in expressions)
        return keys | ({"filename": self._file_name} if asks else {})

    def count(self) -> int:
        """Bind every expression and count the rows, unreadable ones too, without keeping anything.

        Raises:
            InputError: the file cannot be read, or an expression does not fit it.
        """
        with tempfile.TemporaryDirectory() as scratch, self._opened(Path(scratch), []) as (connection, unreadable):
            self._bind(connection)
            return _count(connection) + len(unreadable)

    def copy(
        self,
        folders: dict[Path, list[str]],
        *,
        scratch: Path,
        constants: dict[str, str],
        known: Mapping[str, str],
        rule: refusal.Rule,
    ) -> Reading:
        """Copy the named contract columns to `rows.parquet` in each folder.

        `constants` are SQL expressions that each row gets as well; `known` are the columns of the last delivery of
        the same kind, if there was one. Lines that cannot be read become rows without values in `unreadable.parquet`;
        rows that `rule` refuses are counted and not written.

        Raises:
            InputError: as `count`, or a used column is of another type than in the last delivery; what was written
                by then is the caller's to remove.
        """
        with self._opened(scratch, list(folders)) as (connection, unreadable):
            columns = self._columns(connection)
            types = self._bind(connection, known=known)
            notes = self._compare(connection, columns, known)
            received = _count(connection)
            erased = self._refuse(connection, types, rule)
            for folder, names in folders.items():
                self._copy_rows(connection, folder, {name: types[name] for name in names}, constants, rule)
                if unreadable:
                    _write_unreadable(connection, folder, unreadable, constants)
            if unreadable:
                notes.append(f"{len(unreadable):,} lines cannot be read, the first is line {unreadable[0]}")
            return Reading(received + len(unreadable), columns, tuple(notes), tuple(erased))

    def refused(self, rule: refusal.Rule, *, scratch: Path) -> dict[Path, list[int]]:
        """The rows of a Parquet file, and of its lookups where no other row uses them, that a rule refuses, from 1."""
        with self._opened(scratch, []) as (connection, _):
            if not self._refuse(connection, self._bind(connection), rule):
                return {}
            keys = {name: lookup.key for name, lookup in self.part.lookups.items()}
            found = refusal.rows_of_lookups(connection, keys, self.lookup_files)
            return {self.path: refusal.numbers(connection, "from refused"), **found}

    def _refuse(self, connection: Connection, types: dict[str, str], rule: refusal.Rule) -> list[refusal.Tally]:
        """Take the rows that a rule refuses out of `source`; gives what they amount to."""
        if not rule.is_refusing:
            return []
        header = [row[0] for row in connection.execute("describe source").fetchall()]
        asked = {name: type_ for name, type_ in types.items() if name in refusal.asked(self.entity)}
        query = mapping.query(self.part, self.entity, asked, header=header, constants={}, is_trying=True)
        erased = refusal.judge(connection, query, asked, entity=self.entity, rule=rule)
        if erased:
            connection.execute(f"create or replace temp view source as from received where {refusal.KEPT}")
        return erased

    @contextmanager
    def _opened(self, scratch: Path, folders: list[Path]) -> Iterator[tuple[Connection, tuple[int, ...]]]:
        """A connection with the file's rows as the view `source`, and the numbers of its unreadable lines."""
        try:
            table = tabulate(self.path, shown=self.shown, options=self.part.options, scratch=scratch)
            looked_up = lookups.tables(self.part.lookups, self.lookup_files, scratch=scratch)
        except OSError as error:
            raise as_unreadable(f"{self._field}: {self.shown}", error) from None
        except InputError as error:
            raise InputError(f"{self._field}: {error}") from None
        file = f"read_parquet({literal(str(table.path))}, hive_partitioning = false)"
        readable = [table.path, *(other.path for found in looked_up.values() for other in found)]
        with sandbox(files=readable, folders=[scratch, *folders]) as connection:
            try:
                present = {row[0].casefold() for row in connection.execute(f"describe from {file}").fetchall()}
                extra = {name: value for name, value in self._location.items() if name.casefold() not in present}
                added = "".join(f", {value} as {quoted(name)}" for name, value in extra.items())
                number = "row_number() over ()" if self.is_parquet else "_row_number"
                kept = "* exclude (_row_number)" if "_row_number" in present else "*"
                rows = f"select {kept}{added}, {number} as _row_number from {file}"
                connection.execute(f"create view received as {self._with_lookups(connection, rows, looked_up)}")
                connection.execute("create temp view source as from received")
                yield connection, table.unreadable
            except DatabaseError as error:
                raise self._unreadable(error) from None

    def _with_lookups(self, connection: Connection, rows: str, tables: dict[str, list[Table]]) -> str:
        try:
            return lookups.joined(connection, rows, self.part.lookups, tables)
        except InputError as error:
            raise InputError(f"{self._field}.{error}") from None

    @property
    def _file_name(self) -> str:
        return re.sub(r" \(part \d+\)$", "", self.shown)

    @property
    def _location(self) -> dict[str, str]:
        values = {"filename": self._file_name} | self.place
        return {
            name: "null::varchar" if value == "__HIVE_DEFAULT_PARTITION__" else literal(value)
            for name, value in values.items()
        }

    def _columns(self, connection: Connection) -> dict[str, str]:
        """The file's own columns by type."""
        ours = {"_row_number", *self._location, *self.part.lookups}
        rows = connection.execute("describe from source").fetchall()
        return {name: kind if self.is_parquet else UNTYPED for name, kind, *_ in rows if name not in ours}

    def _bind(self, connection: Connection, *, known: Mapping[str, str] | None = None) -> dict[str, str]:
        """The type of each mapped column, bound one by one, so that an error names the field it came from."""
        header = [row[0] for row in connection.execute("describe from source").fetchall()]
        fields = {f"columns.{name}": sql for name, sql in self.part.columns.items()}
        if self.part.where:
            fields["where"] = mapping.condition(self.part)
        types = {}
        for name, sql in fields.items():
            try:
                types[name.removeprefix("columns.")] = mapping.bind(connection, sql, header=header)
            except DatabaseError as error:
                raise InputError(f"{self._field}.{name}: {self._misfit(error, sql, header, known or {})}") from None
        try:
            mapping.check_formats(connection, self.part.options)
        except DatabaseError:
            raise InputError(
                f"{self._field}.options.date_formats: not all are strptime formats; write such as '%d.%m.%Y %H:%M'"
            ) from None
        return types

    def _misfit(self, error: DatabaseError, sql: str, header: list[str], known: Mapping[str, str]) -> str:
        unknown = re.search(r'column "([^"]+)"', str(error))
        if not unknown:
            return f"`{sql[:200]}` is no SQL expression over the columns of {self.shown} ({_first_line(error)})"
        own = [name for name in header if name not in {"_row_number", *self._location, *self.part.lookups}]
        message = f"{self.shown} has no column '{unknown[1]}'{nearest(unknown[1], own[:50])}"
        fresh = [name for name in own if name not in known] if known else []
        if fresh:
            message += f" New since the last delivery: {', '.join(fresh[:20])}."
        if suffix(self.path.name) in JSON_LINES:
            message += f" A key that may be absent is written json->>'{unknown[1]}'"
        return message

    def _compare(self, connection: Connection, columns: dict[str, str], known: Mapping[str, str]) -> list[str]:
        """What is new or gone in the file since the last delivery.

        Raises:
            InputError: a column that the mapping uses is of another type.
        """
        if not known:
            return []
        for name, kind in columns.items():
            before = known.get(name, kind)
            if UNTYPED not in (before, kind) and _family(before) != _family(kind):
                user = mapping.user_of(connection, name, self.part)
                if user:
                    raise InputError(
                        f"{self._field}.{user}: column '{name}' of {self.shown} was {_family(before)} in the last "
                        f"delivery and is {_family(kind)} now. Nothing of this file was kept. Correct the file, or say "
                        "in the mapping how to read it: a changed mapping is taken as it is."
                    )
        fresh, gone = [n for n in columns if n not in known], [n for n in known if n not in columns]
        notes = [f"new columns, ignored: {', '.join(fresh[:20])}"] if fresh else []
        return notes + ([f"columns gone, used by nothing: {', '.join(gone[:20])}"] if gone else [])

    def _copy_rows(
        self,
        connection: Connection,
        folder: Path,
        types: dict[str, str],
        constants: dict[str, str],
        rule: refusal.Rule,
    ) -> None:
        """Copy once as mapped; where a value makes an expression fail, again with that failure as the row's defect."""
        header = [row[0] for row in connection.execute("describe from source").fetchall()]
        for is_trying in (False, True):
            query = mapping.query(
                self.part, self.entity, types, header=header, constants=constants, is_trying=is_trying
            )
            try:
                if "customer_id" in types:
                    query = refusal.under_pseudonyms(connection, query, rule)
                written = _write(connection, query, folder / "rows.parquet")
                break
            except DatabaseError:
                if is_trying:
                    raise
        if written != _count(connection):
            raise InputError(
                f"{self._field}.columns: an expression makes more or fewer rows than {self.shown} has; "
                "expressions say what a value is, one per row. Nothing of this file was kept."
            )

    @property
    def _field(self) -> str:
        return f"{self.source.path.name}: entities.{self.entity.name}"

    def _unreadable(self, error: DatabaseError) -> InputError:
        """A database error as a sentence; the values that DuckDB quotes in many of them stay out of it."""
        kind = "a Parquet file" if self.is_parquet else "text with these options"
        reason = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Exception")).lower()
        return InputError(
            f"{self._field}: {self.shown}: it cannot be read as {kind} ({reason} error). Nothing of this file was "
            f"kept. Correct the file, or its entry in {self.source.path.name}."
        )


def _write(connection: Connection, query: str, target: Path) -> int:
    copied = connection.execute(f"copy ({query}) to {literal(str(target))} (format parquet, compression zstd)")
    return int(copied.fetchall()[0][0])


def _write_unreadable(
    connection: Connection, folder: Path, numbers: tuple[int, ...], constants: dict[str, str]
) -> None:
    fixed = ", ".join(f"{sql} as {name}" for name, sql in constants.items())
    listed = f"unnest([{', '.join(map(str, numbers))}]::bigint[])"
    query = f"select {listed} as _row_number, false as _is_excluded, 'unreadable_line' as _defect, {fixed}"
    _write(connection, query, folder / "unreadable.parquet")


def _count(connection: Connection) -> int:
    return int(connection.execute("select count(*) from source").fetchall()[0][0])


def _family(kind: str) -> str:
    return next((name for name, pattern in _FAMILIES.items() if re.fullmatch(pattern, kind)), kind.lower())


def _first_line(error: DatabaseError) -> str:
    """The first line of an error, without paths of this machine."""
    line = str(error).splitlines()[0].partition(": ")[2]
    return re.sub(r"""["']/[^"']*/([^"'/]+)["']""", r"'\1'", line)[:200].rstrip(".")
