"""A model of dbt on tables that a test makes: its SQL over DuckDB in memory, without a run and without dbt."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import polars as pl

from orchestration.settings import DBT_PROJECT_DIR


def select(model: str, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The rows that a model makes of the tables given; what else it refers to is made by its own model."""
    with duckdb.connect(":memory:", config={"threads": "2"}) as connection:
        for name, frame in tables.items():
            connection.register(name, frame)
        return _run(connection, model, set(tables))


def _run(connection: duckdb.DuckDBPyConnection, model: str, known: set[str]) -> pl.DataFrame:
    wanted: list[str] = []

    def ref(name: str) -> str:
        wanted.append(name)
        return name

    sql = _render(model, ref)
    for name in dict.fromkeys(wanted):
        if name not in known:
            connection.register(name, _run(connection, name, known))
            known.add(name)
    rows: pl.DataFrame = connection.sql(sql).pl()
    return rows


def _render(model: str, ref: Any) -> str:
    (file,) = (DBT_PROJECT_DIR / "models").rglob(f"{model}.sql")
    used = [macro.read_text() for macro in sorted((DBT_PROJECT_DIR / "macros").glob("*.sql"))]
    macros = [text for text in used if "{% test" not in text and "{% materialization" not in text]  # dbt's own tags
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])  # noqa: S701 - it makes SQL, not HTML
    given = {
        "ref": ref,
        "source": lambda _, table: ref(table),
        "config": lambda **_: "",
        "var": lambda _, default: default,
        "execute": False,
        "adapter": SimpleNamespace(dispatch=lambda name: getattr(known, f"duckdb__{name}")),
    }
    known = environment.from_string("\n".join(macros)).make_module(given)
    return environment.from_string("\n".join([*macros, file.read_text()])).render(given)
