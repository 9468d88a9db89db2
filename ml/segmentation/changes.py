"""Why customers are in another segment than before: they changed, or what divides them did."""

from typing import Final

import polars as pl

FOUND: Final = ("behavioural",)
"""Strategies whose segments are found by a model; those of the others are divided by thresholds."""


def with_changes(segments: pl.DataFrame, before: pl.DataFrame, as_before: pl.DataFrame) -> pl.DataFrame:
    """CUSTOMER_SEGMENTS without their version, from customer_id, strategy and segment of today, in their order.

    `before` has the segment and `segment_since` of the last day, `as_before` what today's customers would be by the
    definition of that day. Who would have moved by that changed behaviour; whoever moves only with the new definition
    was moved by the model, or by thresholds. Where the old definition is unknown it counts as changed.
    """
    keys = ["customer_id", "strategy"]
    known = segments.join(
        before.select(*keys, "segment_since", previous_segment="segment"), on=keys, how="left", maintain_order="left"
    ).join(as_before.select(*keys, expected="segment"), on=keys, how="left", maintain_order="left")
    moved_by_definition = pl.when(pl.col("strategy").is_in(FOUND)).then(pl.lit("model")).otherwise(pl.lit("thresholds"))
    change = (
        pl.when(pl.col("previous_segment").is_null())
        .then(pl.lit("new"))
        .when(pl.col("segment") == pl.col("previous_segment"))
        .then(pl.lit("none"))
        .when(pl.col("expected") != pl.col("previous_segment"))
        .then(pl.lit("behaviour"))
        .otherwise(moved_by_definition)
    )
    since = pl.when(change == "none").then("segment_since").otherwise("as_of_date")
    return known.with_columns(change=change, segment_since=since).drop("expected")
