"""All strategies on one holdout: divided as of a past day, looked at on a later one, judged by what came after that.

Which of them is served is the user's choice; what loses stays on record.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.btyd.expectations import PurchaseExpectations
from ml.schemas import conform, empty
from ml.segment_schemas import PROFILE, SEGMENT_EVALUATIONS
from ml.segmentation.definitions import Background, Withheld
from ml.segmentation.separation import separation
from ml.segmentation.strategies import Strategy

Array = npt.NDArray[np.float64]

REPLICATES: Final = 200
VALUE_DECILE: Final = "value_decile"
"""The plain rule beside the strategies: the tenth that has spent most so far."""
SMALLEST_SHARE: Final = 0.02
"""The best segment is sought among those of some size."""


@dataclass(frozen=True)
class Holdout:
    """Snapshots (features and outcomes) of two past days one horizon apart: segments are made on the first, and the
    best is chosen by what came next; the second is what they are judged on. `responded` are ids, where contacts exist.
    """

    first: pl.DataFrame
    second: pl.DataFrame
    horizon_days: int
    active_window_days: int
    responded: pl.Series | None = None
    contacted: pl.Series | None = None

    @property
    def day(self) -> date:
        """The later of the two days."""
        found: date = self.second["as_of_date"][0]
        return found


def as_inputs(
    snapshot: pl.DataFrame, *, horizon_days: int, active_window_days: int, fitted_on: pl.DataFrame
) -> pl.DataFrame:
    """SEGMENT_INPUTS of a past day with its outcomes: what the models would have said is what a purchase model of the
    histories on the first day says, so that nothing is known that was not then. Attributes stay as they are.
    """
    known = PurchaseExpectations(horizon_days=horizon_days).fit(fitted_on).transform(snapshot)
    is_active = pl.col("recency_days") < active_window_days
    expected = known.with_columns(
        churn_probability=pl.when(is_active).then("silence_probability"),
        expected_amount=pl.col("expected_purchase_day_count") * pl.col("average_order_amount"),
    )
    lacking = [pl.lit(None, pl.String).alias(name) for name in PROFILE if name not in expected.columns]
    return expected.with_columns(lacking)


def compare(strategies: Sequence[Strategy], versions: dict[str, str], holdout: Holdout, *, seed: int) -> pl.DataFrame:
    """SEGMENT_EVALUATIONS of every strategy that can be made on the first day, and of the value decile.

    stability, segment_count, size_balance (1: all of one size), separation_amount, separation_churn and
    separation_response (shares of variance between segments), best_segment_share, and gain_over_random and
    gain_over_value: next-period amount per customer of the best segment over everyone's, and over that of as many
    customers chosen by what they have spent so far; intervals over customers drawn again.
    """
    first, second = (
        as_inputs(
            snapshot,
            horizon_days=holdout.horizon_days,
            active_window_days=holdout.active_window_days,
            fitted_on=holdout.first,
        ).sort("customer_id")
        for snapshot in (holdout.first, holdout.second)
    )
    frames = [empty(SEGMENT_EVALUATIONS)]
    jury = _Jury(second, holdout, seed)
    for strategy in strategies:
        try:
            definition = strategy.fit(first, Background(past=first, seed=seed))
        except Withheld:
            continue
        then, later = (strategy.assign(day, definition)["segment"] for day in (first, second))
        rows = [
            ("stability", strategy.stability(first, definition, seed=seed).rand, None, None),
            *jury.about(later),
            *jury.gains(later == _best(then, first["future_amount"]), compared=True),
        ]
        frames.append(_evaluations(strategy.name, versions.get(strategy.name), holdout, rows, second.height))
    decile = second["monetary_amount"].rank("ordinal", descending=True) <= max(1, round(second.height / 10))
    rows = list(jury.gains(decile, compared=False))
    frames.append(_evaluations(VALUE_DECILE, None, holdout, rows, second.height))
    return pl.concat(frames)


def _best(segments: pl.Series, amounts: pl.Series) -> str:
    """The segment whose customers brought most each, of those of some size."""
    found = pl.DataFrame({"segment": segments, "amount": amounts.cast(pl.Float64)}).sort("segment", "amount")
    means = found.group_by("segment", maintain_order=True).agg(pl.col("amount").mean(), share=pl.len() / found.height)
    large = means.filter(pl.col("share") >= SMALLEST_SHARE)
    best: str = (means if large.is_empty() else large).sort("amount", "segment", descending=[True, False])["segment"][0]
    return best


class _Jury:
    """What came after the second day, and the same customers drawn again."""

    def __init__(self, second: pl.DataFrame, holdout: Holdout, seed: int) -> None:
        self.second, self.holdout = second, holdout
        self.amounts = second["future_amount"].cast(pl.Float64).to_numpy()
        self.weights = np.random.default_rng(seed).poisson(1.0, (REPLICATES, second.height)).astype(np.float32)
        self.by_value = second["monetary_amount"].rank("ordinal", descending=True).to_numpy()

    def about(self, segments: pl.Series) -> Iterator[tuple[str, float, None, None]]:
        shares = segments.value_counts(sort=True)["count"].to_numpy() / max(1, len(segments))
        even = -float((shares * np.log(shares)).sum()) / np.log(len(shares)) if len(shares) > 1 else 0.0
        yield "segment_count", float(len(shares)), None, None
        yield "size_balance", even, None, None
        yield "separation_amount", separation(segments, self.second["future_amount"]), None, None
        yield "separation_churn", separation(segments, self.second["is_churned"].cast(pl.Float64)), None, None
        if self.holdout.contacted is not None and self.holdout.responded is not None:
            is_contacted = self.second["customer_id"].is_in(self.holdout.contacted.implode())
            answered = self.second["customer_id"].is_in(self.holdout.responded.implode()).cast(pl.Float64)
            found = separation(segments.filter(is_contacted), answered.filter(is_contacted))
            yield "separation_response", found, None, None

    def gains(self, chosen: pl.Series, *, compared: bool) -> Iterator[tuple[str, float, float | None, float | None]]:
        inside = chosen.to_numpy()
        yield "best_segment_share", float(inside.mean()) if len(inside) else 0.0, None, None
        yield ("gain_over_random", *self._ratio(inside, np.ones(len(inside), dtype=bool)))
        if compared:
            yield ("gain_over_value", *self._ratio(inside, self.by_value <= inside.sum()))

    def _ratio(self, some: npt.NDArray[np.bool_], others: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
        """The ratio of two mean amounts, with its 95 % interval over customers drawn again."""

        def mean(which: npt.NDArray[np.bool_]) -> tuple[float, Array]:
            total, count = (self.weights @ np.stack([self.amounts * which, which], axis=1)).T
            return float(self.amounts[which].mean()), total / count

        if not some.any() or not others.any():
            return (float("nan"),) * 3
        with np.errstate(divide="ignore", invalid="ignore"):
            (mine, mine_drawn), (theirs, theirs_drawn) = mean(some), mean(others)
            drawn = mine_drawn / theirs_drawn
            found = np.nanquantile(drawn, [0.025, 0.975]) if np.isfinite(drawn).any() else [np.nan, np.nan]
            return mine / theirs if theirs else float("nan"), float(found[0]), float(found[1])


def _evaluations(
    name: str,
    version: str | None,
    holdout: Holdout,
    rows: Sequence[tuple[str, float, float | None, float | None]],
    customers: int,
) -> pl.DataFrame:
    kinds = {"metric": pl.String, "value": pl.Float64, "lower": pl.Float64, "upper": pl.Float64}
    frame = pl.DataFrame(rows, schema=kinds, orient="row").with_columns(
        pl.col("value", "lower", "upper").fill_nan(None),
        strategy=pl.lit(name),
        model_version=pl.lit(version, pl.String),
        cutoff_date=pl.lit(holdout.day),
        horizon_days=pl.lit(holdout.horizon_days),
        customer_count=pl.lit(customers),
    )
    return conform(frame, SEGMENT_EVALUATIONS)
