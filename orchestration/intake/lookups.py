"""Other files of a source that say more about a row: each joined by its key, at most one match a row.

A row is looked up, never multiplied or lost: without a match, or with several that differ, its values are missing.
"""

from collections.abc import Mapping
from pathlib import Path

from orchestration.errors import InputError
from orchestration.intake.known_keys import nearest
from orchestration.intake.source_file import Lookup
from orchestration.intake.text_files import Table, tabulate
from orchestration.warehouse import Connection, DatabaseError, literal, quoted

Files = Mapping[str, tuple[tuple[str, Path], ...]]
"""The files of each lookup, as (name as shown to people, path)."""


def tables(lookups: Mapping[str, Lookup], files: Files, *, scratch: Path) -> dict[str, list[Table]]:
    """Every file of every lookup as records, below `scratch` where it is text."""
    found: dict[str, list[Table]] = {}
    for name, lookup in lookups.items():
        found[name] = []
        for number, (shown, path) in enumerate(files[name]):
            folder = scratch / f"lookup-{name}-{number}"
            folder.mkdir()
            found[name].append(tabulate(path, shown=shown, options=lookup.options, scratch=folder))
    return found


def joined(connection: Connection, rows: str, lookups: Mapping[str, Lookup], records: Mapping[str, list[Table]]) -> str:
    """`rows`, a query with `_row_number`, with one more column per lookup: its row as a struct, by its name.

    A later lookup may use an earlier one in its `by`.

    Raises:
        InputError: a key is no column of its file, a `by` does not fit, or a name is a column of the rows.
    """
    for name, lookup in lookups.items():
        header = _names(connection, rows)
        if name.casefold() in {column.casefold() for column in header}:
            raise InputError(f"lookups.{name}: the rows have a column of this name; choose another.")
        paths = ", ".join(literal(str(table.path)) for table in records[name])
        read = f"from read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
        columns = _names(connection, read)
        if lookup.key not in columns:
            raise InputError(f"lookups.{name}.key: no column '{lookup.key}'{nearest(lookup.key, columns)}")
        kept = ", ".join(f"{quoted(column)} := {quoted(column)}" for column in columns if column != "_row_number")
        connection.execute(
            f"create table {quoted(f'lookup {name}')} as select key, any_value(found) as found from ("
            f"select distinct {quoted(lookup.key)}::varchar as key, struct_pack({kept}) as found {read}) "
            "where key is not null group by key having count(*) = 1"
        )
        asked = f'select *, ({lookup.by}\n)::varchar as "looked up" from ({rows})'
        try:
            connection.execute(f"describe {asked}")
        except DatabaseError as error:
            reason = str(error).splitlines()[0].partition(": ")[2][:200]
            raise InputError(f"lookups.{name}.by: `{lookup.by[:200]}` does not fit ({reason})") from None
        rows = (
            f'select asked.* exclude ("looked up"), other.found as {quoted(name)} from ({asked}) as asked '
            f'left join {quoted(f"lookup {name}")} as other on asked."looked up" = other.key'
        )
    return rows


def _names(connection: Connection, query: str) -> list[str]:
    return [row[0] for row in connection.execute(f"describe {query}").fetchall()]
