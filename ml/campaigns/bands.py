"""Fifths of an experiment's customers by predicted uplift, and what chance shows the contact to change in each."""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.comparison import Comparison, Sample, proportions, welch
from ml.moments import UNIT, Moments
from ml.schemas import Schema
from ml.small_groups import SMALLEST_GROUP

Array = npt.NDArray[np.float64]

BANDS: Final[Schema] = {
    "band": pl.Int64,
    "lowest_uplift": pl.Float64,
    "predicted_uplift": pl.Float64,
    "contacted_count": pl.Int64,
    "control_count": pl.Int64,
    **dict.fromkeys(("effect", "effect_lower", "effect_upper"), pl.Float64),
}
"""Grain: band, 1 the highest; customers of equal prediction are in one. The intervals are of 95 %."""
COUNT: Final = 5
CONFIDENCE: Final = 0.95


def bands(treated: Array, outcome: Array, predicted: Array, *, is_truth: bool) -> pl.DataFrame:
    """BANDS of predictions by models that had not seen the customers; one band where all are predicted alike.

    There are fewer than fifths where a band would tell of what one to ten people did.
    """
    for count in range(COUNT, 1, -1):
        found, fewest = _parted(treated, outcome, predicted, count, is_truth=is_truth)
        if fewest >= SMALLEST_GROUP:
            return found
    return _parted(treated, outcome, predicted, 1, is_truth=is_truth)[0]


def _parted(
    treated: Array, outcome: Array, predicted: Array, count: int, *, is_truth: bool
) -> tuple[pl.DataFrame, int]:
    """BANDS of so many parts, and the fewest outcomes on a side of any."""
    fewest = len(outcome)
    cuts = np.unique(np.quantile(predicted, np.arange(1, count) / count))
    place = np.searchsorted(cuts, predicted, side="right")
    rows = []
    for band, number in enumerate(sorted(set(place.tolist()), reverse=True), start=1):
        inside = place == number
        sides = [outcome[inside & (treated == side)] for side in (1, 0)]
        fewest = min(fewest, *(int((side != 0).sum()) for side in sides))
        found = _compared(sides[0], sides[1], is_truth=is_truth)
        effect = (found.effect, found.lower, found.upper) if found else (None, None, None)
        lowest, mean = float(predicted[inside].min()), float(predicted[inside].mean())
        rows.append((band, lowest, mean, len(sides[0]), len(sides[1]), *effect))
    return pl.DataFrame(rows, schema=BANDS, orient="row"), fewest


def band_of(uplift: Array, found: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The band of each uplift predicted today: the highest that it reaches, and the last for all below."""
    lowest = found.sort("band")["lowest_uplift"].to_numpy()
    reached = uplift[:, None] >= lowest[None, :]
    return np.where(reached.any(axis=1), reached.argmax(axis=1), len(lowest) - 1).astype(np.int64) + 1


def _compared(contacted: Array, controls: Array, *, is_truth: bool) -> Comparison | None:
    if min(len(contacted), len(controls)) < 2:
        return None
    if is_truth:
        return proportions(_counted(contacted), _counted(controls), confidence=CONFIDENCE)
    return welch(_sample(contacted), _sample(controls), confidence=CONFIDENCE)


def _counted(values: Array) -> Moments:
    positive = int((values != 0).sum())
    return Moments(len(values), positive, positive * UNIT, positive * UNIT**2, 0, 0, 0)


def _sample(values: Array) -> Sample:
    return Sample(len(values), float(values.mean()), float(values.var(ddof=1)))
