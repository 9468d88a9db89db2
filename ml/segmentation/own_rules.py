"""Segments that a source file writes itself: conditions over what is known of customers, the first that holds wins."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from ml.schemas import empty
from ml.segment_schemas import SEGMENT_DEFINITIONS
from ml.segmentation.definitions import NOTHING, Background, define, of_strategy

OTHER: Final = "other"


def fit(
    customers: pl.DataFrame,
    background: Background = NOTHING,  # noqa: ARG001 - nothing is fitted
    *,
    strategy: str,
    rules: Mapping[str, str],
) -> pl.DataFrame:
    """The rules as they are, in their order."""
    rows = [
        {"quantity": "rule", "segment": segment, "category": condition, "value": float(number)}
        for number, (segment, condition) in enumerate(rules.items())
    ]
    return define(strategy, customers["as_of_date"][0], rows) if customers.height else empty(SEGMENT_DEFINITIONS)


def refit(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG001 - rules do not move
    """The same rules."""
    return definition


def assign(customers: pl.DataFrame, definition: pl.DataFrame, *, strategy: str) -> pl.DataFrame:
    """The first segment whose condition holds for a customer, in their order; other where none does."""
    found = pl.lit(OTHER)
    for segment, condition in reversed(_rules(definition, strategy)):
        holds = pl.sql_expr(condition).fill_null(value=False)
        found = pl.when(holds).then(pl.lit(segment)).otherwise(found)
    return customers.select("as_of_date", "customer_id", strategy=pl.lit(strategy), segment=found)


def words(definition: pl.DataFrame, *, strategy: str) -> dict[str, str]:
    """What each segment is: its condition."""
    return dict(_rules(definition, strategy)) | {OTHER: "none of the conditions holds"}


def _rules(definition: pl.DataFrame, strategy: str) -> list[tuple[str, str]]:
    return of_strategy(definition, strategy).sort("value").select("segment", "category").rows()
