"""What a system that reads for itself needs to follow an activation: the last change of each customer, day by day.

Whoever is told by `sync` needs none of it. A day goes on from the one before it, and is the same whenever it is run.
"""

import json
from datetime import date
from typing import Final

import polars as pl

from ml.schemas import Schema
from orchestration.activation.changes import KEY, LEDGER, Change, changes

CHANGES: Final[Schema] = {
    "as_of_date": pl.Date,
    "activation": pl.String,
    KEY: pl.String,
    "operation": pl.String,
    "revision": pl.Int64,
    "change_id": pl.String,
    "batch_id": pl.String,
    "changed_date": pl.Date,
    "row_hash": pl.String,
    "row": pl.String,
}
"""Grain: activation x customer who was ever in it. `row` is JSON, and empty once the customer is removed."""
SUBJECT: Final = "activation_changes"
"""Its subject in the history."""


def continued(activation: str, rows: pl.DataFrame, before: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """CHANGES of one activation on a day: those that stand since `before`, and those by which it becomes `rows`.

    Raises:
        ValueError: two rows are of one customer, or a row is of nobody.
    """
    standing = before.filter(activation=activation).with_columns(as_of_date=pl.lit(as_of))
    new = pl.DataFrame([_row(change, as_of) for change in changes(activation, rows, told(standing))], schema=CHANGES)
    return pl.concat([standing.join(new, on=KEY, how="anti"), new]).sort(KEY)


def told(standing: pl.DataFrame) -> pl.DataFrame:
    """LEDGER of an activation's CHANGES: whoever reads the table is told."""
    return standing.with_columns(fate=pl.lit("accepted"), reason=pl.lit(None, pl.String)).select(*LEDGER)


def _row(change: Change, as_of: date) -> dict[str, object]:
    is_there = change.operation != "removed"
    return {
        "as_of_date": as_of,
        "activation": change.activation,
        KEY: change.customer_id,
        "operation": change.operation,
        "revision": change.revision,
        "change_id": change.change_id,
        "batch_id": f"{change.activation}-{as_of}",
        "changed_date": as_of,
        "row_hash": change.row_hash,
        "row": json.dumps(dict(change.row), sort_keys=True, default=str, ensure_ascii=False) if is_there else None,
    }
