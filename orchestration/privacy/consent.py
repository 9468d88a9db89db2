"""Whose data may be used for what: the one way for Python to customers' rows, and the proof on the tables at the end.

What counts as allowed on a day is SQL's to say (`marts.dim_customer_permissions`).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal

import polars as pl

from ml.schemas import TRANSACTIONS
from orchestration.privacy.registry import Registry, Table
from orchestration.runs.run import Run
from orchestration.warehouse import Connection, quoted

Purpose = Literal["analytics", "profiling", "marketing"]
PERMISSIONS: Final = "marts.dim_customer_permissions"


def allowed(purpose: Purpose, *, customer: str = "customer_id") -> str:
    """SQL condition: the customer's data may be used for it at the as-of date; who is unknown may not."""
    return f"{customer} in (select customer_id from {PERMISSIONS} where is_{purpose}_allowed)"


def map_customers(
    run: Run,
    relation: str,
    function: Callable[[pl.DataFrame], pl.DataFrame],
    *,
    purpose: Purpose,
    columns: Iterable[str] = ("*",),
    where: str = "true",
    at_most: int | None = None,
) -> Iterator[pl.DataFrame]:
    """Apply `function` to the rows of one bucket of customers after the other, of those alone who allow the purpose.

    As `Warehouse.map_customers`, which nothing else calls: so no model can forget to ask.
    """
    permitted = f"({where}) and {allowed(purpose)}"
    return run.warehouse.map_customers(relation, function, columns=columns, where=permitted, at_most=at_most)


def map_transactions(
    run: Run,
    function: Callable[[pl.DataFrame], pl.DataFrame],
    *,
    purpose: Purpose,
    at_most: int | None = None,
) -> Iterator[pl.DataFrame]:
    """`map_customers` over TRANSACTIONS; those of guests are nobody's who could allow it.

    Their own ids are left out: no feature looks at them, and texts are what takes longest to read.
    """
    columns = [name for name in TRANSACTIONS if name != "transaction_id"]
    return map_customers(run, "marts.fct_transactions", function, purpose=purpose, columns=columns, at_most=at_most)


def of_permitted(run: Run, frame: pl.DataFrame, *, purpose: Purpose) -> pl.DataFrame:
    """The rows of a kept frame whose customers allow the purpose today."""
    permitted = run.warehouse.read(f"select customer_id from {PERMISSIONS} where is_{purpose}_allowed")
    return frame.join(permitted, on="customer_id", how="semi", maintain_order="left")


def used_against_will(connection: Connection, registry: Registry) -> list[str]:
    """The columns, `schema.table.column`, that say something of a customer who does not allow what they are for."""
    built = {
        name
        for (name,) in connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
    }
    asked = [table for table in registry.tables_of_people() if table.name in built]
    return [found for table in asked for found in _against_will(connection, table)]


def _against_will(connection: Connection, table: Table) -> Iterator[str]:
    """By purpose: of a withheld customer there is no row, or in columns of a purpose of their own, no value."""
    key = quoted(table.key or "")
    for column in table.columns:
        if column.purpose == "operation" or (column.purpose == table.purpose and column.name != table.key):
            continue
        refused = f"{key} in (select customer_id from {PERMISSIONS} where not is_{column.purpose}_allowed)"
        query = f"select count({quoted(column.name)}) from {table.name} where {refused}"
        if connection.execute(query).fetchall()[0][0]:
            yield f"{table.name}.{column.name}"
