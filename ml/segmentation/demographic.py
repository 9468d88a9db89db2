"""Demography: groups by the attribute of people, or the two, that tell most about what they bought next."""

from itertools import combinations
from typing import Final

import polars as pl

from ml.segmentation import attributes
from ml.segmentation.definitions import NOTHING, Background, Withheld
from ml.segmentation.separation import separation

STRATEGY: Final = "demographic"
ATTRIBUTES: Final = ("age_band", "income_band", "household_size", "gender")


def fit(
    customers: pl.DataFrame, background: Background = NOTHING, *, smallest_share: float = attributes.SMALLEST_SHARE
) -> pl.DataFrame:
    """Groups by one or two attributes: those that separate best what their customers spent after the past day.

    Without a past day it is what customers have spent so far. A division that leaves more than a fifth of customers in
    small groups is none.

    Raises:
        Withheld: no attribute is known of enough customers.
    """
    usable = attributes.known(customers, ATTRIBUTES)
    if not usable:
        raise Withheld(
            "not_carried", f"fewer than a fifth of the customers have {_listed(ATTRIBUTES)}, or all the same"
        )
    seen = customers.with_columns(future_amount="monetary_amount") if background.past is None else background.past
    best, most = None, -1.0
    for some in [*((one,) for one in usable), *combinations(usable, 2)]:
        definition, small = attributes.grouped(customers, STRATEGY, some, smallest_share=smallest_share)
        if small <= attributes.OTHER_SHARE:
            told = seen.drop_nulls(list(some))
            found = separation(assign(told, definition)["segment"], told["future_amount"])
            if found > most:
                best, most = definition, found
    if best is None:
        raise Withheld("not_carried", f"every division by {_listed(usable)} leaves most customers in tiny groups")
    return best


def refit(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """The same attributes of other customers."""
    named = definition.filter(pl.col("strategy") == STRATEGY)["measure"][0].split(attributes.JOINT)
    return attributes.grouped(customers, STRATEGY, named, smallest_share=attributes.SMALLEST_SHARE)[0]


def assign(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """The group of each customer, in their order."""
    return attributes.assign(customers, definition, strategy=STRATEGY)


def words(definition: pl.DataFrame) -> dict[str, str]:
    """What each group is."""
    return attributes.words(definition, strategy=STRATEGY)


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names)
