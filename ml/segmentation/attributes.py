"""Groups that attributes make as they are: by one of them or by two together, small groups as one.

Which attributes, and how one is preferred to another, belongs to `demographic` and `geographic`.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from ml.segmentation.definitions import SMALLEST_GROUP, define

OTHER: Final = "other"
UNKNOWN: Final = "unknown"
JOINT: Final = " + "
KNOWN_SHARE: Final = 0.2
"""An attribute that fewer customers have only divides those who told from those who did not."""
SMALLEST_SHARE: Final = 0.02
"""Share of customers that a group needs to stand alone, unless the source file says otherwise."""
OTHER_SHARE: Final = 0.2
"""Largest share of customers in groups too small to stand alone."""


def known(customers: pl.DataFrame, attributes: Sequence[str]) -> list[str]:
    """The attributes that enough customers have, with more than one value."""
    return [
        name
        for name in attributes
        if customers.height
        and customers[name].count() >= KNOWN_SHARE * customers.height
        and customers[name].n_unique() > 1
    ]


def group(attributes: Sequence[str]) -> pl.Expr:
    """The category of each customer: the values as they are, unknown where there is none."""
    return pl.concat_str([pl.col(name).fill_null(UNKNOWN) for name in attributes], separator=", ")


def grouped(
    customers: pl.DataFrame, strategy: str, attributes: Sequence[str], *, smallest_share: float
) -> tuple[pl.DataFrame, float]:
    """The definition by these attributes, and the share of customers in groups too small to stand alone."""
    counts = customers.group_by(category=group(attributes)).agg(count=pl.len()).sort("category")
    smallest = max(SMALLEST_GROUP, smallest_share * customers.height)
    by_size = counts.sort("count", "category").with_columns(so_far=pl.col("count").cum_sum() - pl.col("count"))
    small = by_size.filter(
        (pl.col("count") < smallest) | ((pl.col("so_far") > 0) & (pl.col("so_far") < SMALLEST_GROUP))
    )
    is_small = pl.col("category").is_in(small["category"].implode())
    found = counts.with_columns(segment=pl.when(is_small).then(pl.lit(OTHER)).otherwise("category"))
    rows = [
        {"quantity": "group", "measure": JOINT.join(attributes), "category": category, "segment": segment}
        for category, segment in found.select("category", "segment").iter_rows()
    ]
    share = small["count"].sum() / max(1, customers.height)
    return define(strategy, customers["as_of_date"][0], rows), float(share)


def assign(customers: pl.DataFrame, definition: pl.DataFrame, *, strategy: str) -> pl.DataFrame:
    """The segment of each customer, in their order; a category that the fit had not seen is other."""
    groups = definition.filter(pl.col("strategy") == strategy, pl.col("quantity") == "group")
    attributes = groups["measure"][0].split(JOINT)
    segments = dict(groups.select("category", "segment").iter_rows())
    found = group(attributes).replace_strict(segments, default=OTHER, return_dtype=pl.String)
    return customers.select("as_of_date", "customer_id", strategy=pl.lit(strategy), segment=found)


def words(definition: pl.DataFrame, *, strategy: str) -> dict[str, str]:
    """What each segment is: the attributes and their values."""
    groups = definition.filter(pl.col("strategy") == strategy, pl.col("quantity") == "group")
    named = groups["measure"][0].replace("_", " ").replace(JOINT, " and ")
    texts = {segment: f"{named}: {segment}" for segment in groups["segment"].unique().sort()}
    return texts | {OTHER: f"every other {named}, each too small to stand alone"}
