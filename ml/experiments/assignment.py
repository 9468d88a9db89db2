"""Keyed hashes turned into arms: the same hash is in the same arm for ever, whoever else takes part.

Who is eligible, the key, and what was assigned before belong to the caller.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.experiments.design import Arm

DIGITS: Final = 13
"""Hexadecimal digits of a hash that make its place in [0, 1): 52 bits, all of which a double holds."""


def places(hashes: Sequence[str]) -> npt.NDArray[np.float64]:
    """Where each hash (hexadecimal, at least 13 digits) lies in [0, 1); shape as given."""
    return np.array([int(text[:DIGITS], 16) for text in hashes], dtype=np.float64) / 16.0**DIGITS


def taking_part(hashes: Mapping[str, str], *, slot: tuple[float, float]) -> list[str]:
    """The customers, sorted, whose hash lies in a slot of [0, 1): disjoint slots of one hash share no customer."""
    customers = sorted(hashes)
    found = places([hashes[one] for one in customers])
    return [one for one, place in zip(customers, found, strict=True) if slot[0] <= place < slot[1]]


def assign(hashes: Mapping[str, str], arms: Sequence[Arm]) -> pl.DataFrame:
    """The arm of each customer by their hash: columns customer_id and arm, sorted by customer.

    Arms lie one after the other in [0, 1), each as wide as its share, so that moving the last border moves nobody
    across another one.

    Raises:
        ValueError: an arm has no share.
    """
    shares = [arm.share for arm in arms if arm.share is not None]
    if len(shares) < len(arms):
        raise ValueError("every arm needs a share")
    borders = np.cumsum(shares)[:-1] / sum(shares)
    customers = sorted(hashes)
    chosen = np.searchsorted(borders, places([hashes[one] for one in customers]), side="right")
    names = [arm.name for arm in arms]
    return pl.DataFrame(
        {"customer_id": customers, "arm": [names[number] for number in chosen]},
        schema={"customer_id": pl.String, "arm": pl.String},
    )
