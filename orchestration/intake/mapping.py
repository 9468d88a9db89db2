"""From a mapping to SQL: what each contract column selects, in the number and date formats that the options declare.

A value that does not fit stays as it was received, and the row's `_defect` names the column. Which file the SQL runs
on, and whether it may, belongs in `file_reader`.
"""

import re
from typing import Final

from orchestration.intake.entities import Entity
from orchestration.intake.source_file import FileOptions, Part
from orchestration.warehouse import Connection, DatabaseError, literal, quoted

NUMBERS: Final = ("money", "quantity", "double")
MOMENTS: Final = ("timestamp", "date")


def expression(sql: str, *, header: list[str]) -> str:
    """A mapped text as SQL: the name of a column as it stands in the file, spaces and all, or an expression."""
    same = [name for name in header if name.casefold() == sql.strip().casefold()]
    return quoted(same[0]) if same else f"({sql}\n)"


def condition(part: Part) -> str:
    """The condition of a part's rows, true for each that takes part."""
    return f"({part.where or 'true'}\n) is true"


def bind(connection: Connection, sql: str, *, header: list[str]) -> str:
    """The type of an expression over `source`.

    Raises:
        DatabaseError: it is no single expression with one value per row.
    """
    statement = f"describe select _row_number, {expression(sql, header=header)} as value from source"
    if len(connection.extract_statements(statement)) != 1:
        raise DatabaseError("Parser Error: it is more than one statement")
    rows = connection.execute(statement).fetchall()
    if len(rows) != 2:
        raise DatabaseError("Binder Error: it is more than one expression")
    return str(rows[1][1])


def check_formats(connection: Connection, options: FileOptions) -> None:
    """Whether every date format is one.

    Raises:
        DatabaseError: one is not.
    """
    for pattern in options.date_formats:
        connection.execute(f"select try_strptime('', {literal(pattern)})").fetchall()


def user_of(connection: Connection, column: str, part: Part) -> str | None:
    """The field of a mapping that uses a source column, or none."""
    fields = {f"columns.{name}": sql for name, sql in part.columns.items()} | {"where": condition(part)}
    rest = f"(select * exclude ({quoted(column)}) from source)"
    header = [row[0] for row in connection.execute(f"describe from {rest}").fetchall()]
    for field, sql in fields.items():
        try:
            connection.execute(f"describe select {expression(sql, header=header)} from {rest}")
        except DatabaseError:
            return field
    return None


def query(
    part: Part,
    entity: Entity,
    types: dict[str, str],
    *,
    header: list[str],
    constants: dict[str, str],
    is_trying: bool,
) -> str:
    """The query over `source` that gives the columns of `types`, what each row says about itself, and `constants`.

    With `is_trying` a row for which an expression fails gets no value there and the failure as its defect.
    """
    kinds = {column.name: column.type for column in entity.columns} | {"updated_at": "timestamp"}
    inner, outer, defects = ["_row_number"], [], []

    def selected(name: str, sql: str) -> str:
        """Select an expression in the inner query; returns how the outer one calls its value."""
        alias = quoted(f"mapped {name}")
        inner.append(f"{f'try({{v: {sql}}})' if is_trying else sql} as {alias}")
        if is_trying:
            defects.append(f"when {alias} is null then 'invalid_value.{name.removeprefix('-')}'")
        return f"{alias}.v" if is_trying else alias

    for name, type_ in types.items():
        value, misfit = selected(name, expression(part.columns[name], header=header)), None
        if type_ == "VARCHAR":
            value, misfit = normalised(value, kinds.get(name, "text"), part.options)
        defects += [f"when {misfit} then 'invalid_value.{name}'"] if misfit else []
        outer.append(f"{value} as {quoted(name)}")
    is_kept = selected("-where", condition(part)) if part.where else "true"
    defect = f"case {' '.join(defects)} end" if defects else "null"
    outer += ["_row_number", f"{is_kept} is not true as _is_excluded", f"{defect}::varchar as _defect"]
    outer += [f"{sql} as {name}" for name, sql in constants.items()]
    return f"select {', '.join(outer)} from (select {', '.join(inner)} from source)"


def normalised(value: str, kind: str, options: FileOptions) -> tuple[str, str | None]:
    """A text value as staging reads it, and the condition under which it is not what the options declare, if any.

    Without the condition `1.234` under a decimal comma would pass for a number a thousand times too small.
    """
    if kind in NUMBERS and (options.decimal, options.thousands) != (".", None):
        text = f"trim({value})"
        mark, comma = re.escape(options.thousands or ""), re.escape(options.decimal)
        whole = rf"([0-9]{{1,3}}({mark}[0-9]{{3}})+|[0-9]+)" if mark else "[0-9]+"
        fits = f"regexp_full_match({text}, {literal(rf'[-+]?({whole}({comma}[0-9]*)?|{comma}[0-9]+)')})"
        bare = f"replace({text}, {literal(options.thousands)}, '')" if options.thousands else text
        plain = f"replace({bare}, {literal(options.decimal)}, '.')"
        return f"case when {fits} then {plain} else {value} end", f"{text} <> '' and not {fits}"
    if kind in MOMENTS and options.date_formats:
        formats = ", ".join(map(literal, options.date_formats))
        parsed = f"try_strptime(trim({value}), [{formats}])"
        return f"coalesce({f'{parsed}::date' if kind == 'date' else parsed}::varchar, {value})", None
    return value, None
