"""Which columns a column of a dbt model is made of, read from the SQL that dbt compiled, for the UI's column lineage.

A model's answer stays in a file beside dbt's own artefacts until its SQL or a column that it reads changes: to read all
of them takes seconds, and little changes between runs.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import dagster as dg

Columns = Mapping[str, Mapping[str, str]]
"""Types by column by `schema.table` of the warehouse."""
Sources = dict[str, list[list[str]]]
"""By column: schema, table and column of each column that it is made of."""
FILE: Final = "column_lineage.json"
DIALECT: Final = "duckdb"


def lineage(nodes: Iterable[Mapping[str, Any]], *, target: Path, columns: Columns) -> dict[str, dg.TableColumnLineage]:
    """The lineage of models' columns by unique id, of those whose compiled SQL lies in dbt's target folder."""
    file = target / FILE
    known, found = _read(file), {}
    for node in nodes:
        compiled = target / "compiled" / node["package_name"] / node["original_file_path"]
        if compiled.is_file():
            sql = compiled.read_text()
            state = _state(sql, node, columns)
            last = known.get(node["unique_id"], {})
            found[node["unique_id"]] = last if last.get("state") == state else _traced(sql, state, columns)
    if any(known.get(name) != one for name, one in found.items()):
        file.write_text(json.dumps(known | found))
    return {name: _as_dagster(one["columns"]) for name, one in found.items()}


def sources(sql: str, columns: Columns) -> Sources:
    """What each column of a query is made of, as far as SQL shows; constants and counts of rows are made of nothing."""
    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage as trace
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    schema: dict[str, Any] = {}
    for name, types in columns.items():
        place, _, table = name.partition(".")
        schema.setdefault(place, {})[table] = types
    query = qualify(
        parse_one(sql, dialect=DIALECT), schema=schema, dialect=DIALECT, validate_qualify_columns=False, identify=False
    )
    traced = trace(None, query, {}, scope=build_scope(query), dialect=DIALECT, trim_selects=False, copy=False)
    return {
        column: [
            list(source)
            for source in sorted(
                {
                    (node.source.db, node.source.name, node.name.rpartition(".")[2].strip('"'))
                    for node in root.walk()
                    if isinstance(node.source, exp.Table) and node.source.db
                }
            )
        ]
        for column, root in traced.items()
    }


def _traced(sql: str, state: str, columns: Columns) -> dict[str, Any]:
    from sqlglot.errors import SqlglotError

    try:
        return {"state": state, "columns": sources(sql, columns)}
    except SqlglotError:  # SQL that it cannot read: the table is built all the same, and its columns have no lineage
        return {"state": state, "columns": {}}


def _state(sql: str, node: Mapping[str, Any], columns: Columns) -> str:
    """A fingerprint of what the lineage of a model follows from: its SQL, and the columns of what it reads."""
    read = {name.rpartition(".")[2] for name in node["depends_on"]["nodes"]}
    seen = {name: sorted(types) for name, types in columns.items() if name.partition(".")[2] in read}
    return hashlib.sha256(json.dumps([sql, sorted(seen.items())]).encode()).hexdigest()


def _as_dagster(found: Sources) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(dg.AssetKey([schema, table]), name) for schema, table, name in made_of]
            for column, made_of in found.items()
        }
    )


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
