"""Geography: groups by the finest level of place whose groups are large enough to stand alone."""

from typing import Final

import polars as pl

from ml.segmentation import attributes
from ml.segmentation.definitions import NOTHING, Background, Withheld

STRATEGY: Final = "geographic"
LEVELS: Final = ("city", "region", "country")
"""Finest first."""


def fit(
    customers: pl.DataFrame,
    background: Background = NOTHING,  # noqa: ARG001 - places need none
    *,
    smallest_share: float = attributes.SMALLEST_SHARE,
) -> pl.DataFrame:
    """Groups by city, region or country: the finest that leaves at most a fifth of customers in small places, or
    failing that the one that leaves fewest.

    Raises:
        Withheld: no level is known of enough customers.
    """
    usable = attributes.known(customers, LEVELS)
    if not usable:
        raise Withheld(
            "not_carried", "fewer than a fifth of the customers have a city, region or country, or all the same"
        )
    found = [attributes.grouped(customers, STRATEGY, [name], smallest_share=smallest_share) for name in usable]
    fine = (definition for definition, small in found if small <= attributes.OTHER_SHARE)
    return next(fine, min(found, key=lambda one: one[1])[0])


def refit(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """The same level of other customers."""
    (named,) = definition.filter(pl.col("strategy") == STRATEGY)["measure"].unique().to_list()
    return attributes.grouped(customers, STRATEGY, [named], smallest_share=attributes.SMALLEST_SHARE)[0]


def assign(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """The place of each customer, in their order."""
    return attributes.assign(customers, definition, strategy=STRATEGY)


def words(definition: pl.DataFrame) -> dict[str, str]:
    """What each place is."""
    return attributes.words(definition, strategy=STRATEGY)
