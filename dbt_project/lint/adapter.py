"""What `adapter` is where sqlfluff renders models without dbt: the DuckDB form of each macro, and no database.

Nothing that runs uses it; what the macros say belongs in `macros/dialects.sql`.
"""

from collections.abc import Callable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, name: str) -> Callable[..., str]:
    """The macro's form for DuckDB."""
    form: Callable[..., str] = context[f"duckdb__{name}"]
    return form


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return f'"{name}"'


def get_columns_in_relation(_relation: str) -> list[Any]:
    """No columns: there is no table to ask."""
    return []
