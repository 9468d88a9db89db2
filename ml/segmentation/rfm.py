"""Recency, frequency and money: quintile scores against all customers, and eleven named segments from them.

Cut points are values that customers have, so equal customers always get equal scores. What a manager does
with a segment, and plots, belong elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from ml.schemas import MONEY, empty
from ml.segment_schemas import SEGMENT_DEFINITIONS
from ml.segmentation.definitions import NOTHING, Background, cut_points, define

STRATEGY: Final = "rfm"
QUANTILES: Final = (0.2, 0.4, 0.6, 0.8)
FIXED: Final = "fixed"
SCORES: Final = (1, 2, 3, 4, 5)
MEASURES: Final = {
    "recency_score": "recency_days",
    "frequency_score": "frequency_count",
    "monetary_score": "monetary_amount",
}

# recency score, then by the mean of the frequency and monetary scores, halves rounded up
# fmt: off
SEGMENTS: Final = {
    #   1                  2                      3                      4              5
    5: ("new_customers",   "potential_loyalists", "potential_loyalists", "champions",   "champions"),
    4: ("promising",       "potential_loyalists", "loyal",               "loyal",       "champions"),
    3: ("about_to_sleep",  "about_to_sleep",      "need_attention",      "loyal",       "loyal"),
    2: ("hibernating",     "hibernating",         "at_risk",             "at_risk",     "cannot_lose"),
    1: ("lost",            "lost",                "at_risk",             "cannot_lose", "cannot_lose"),
}
# fmt: on


WORDS: Final = {
    "champions": "bought lately, often and for much",
    "loyal": "buy often and for much, and did so not long ago",
    "potential_loyalists": "bought lately, now and then",
    "new_customers": "bought lately, for the first time or for little",
    "promising": "bought not long ago, for little",
    "need_attention": "middling in everything, and slowing down",
    "about_to_sleep": "bought some time ago, seldom and for little",
    "at_risk": "used to buy fairly often, and have not for some time",
    "cannot_lose": "used to buy most, and have not for a long time",
    "hibernating": "bought long ago, seldom and for little",
    "lost": "bought longest ago, seldom and for little",
}


def fit(
    customers: pl.DataFrame,
    background: Background = NOTHING,  # noqa: ARG001 - quantiles need none
    *,
    quantiles: Sequence[float] = QUANTILES,
    fixed: Mapping[str, Sequence[float]] | None = None,
) -> pl.DataFrame:
    """Cut points over all of one day's CUSTOMER_FEATURES, at four quantiles or where they are `fixed` by measure; no
    rows without customers.

    The cut point of a quantile q among n customers is the value ranked floor(q (n - 1)) from 0, never a value
    in between. Where many customers tie, neighbouring cut points are equal and some scores stay empty.
    """
    if customers.is_empty():
        return empty(SEGMENT_DEFINITIONS)
    given = fixed or {}
    return define(
        STRATEGY,
        customers["as_of_date"][0],
        (
            {
                "quantity": "cut_point",
                "measure": measure,
                "category": FIXED if measure in given else None,
                "quantile": quantile,
                "value": float(
                    given[measure][place] if measure in given else customers[measure].quantile(quantile, "lower") or 0
                ),
            }
            for measure in MEASURES.values()
            for place, quantile in enumerate(sorted(quantiles))
        ),
    )


def refit(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """The same quantiles of other customers; what is fixed stays."""
    mine = definition.filter(pl.col("strategy") == STRATEGY).sort("quantile")
    fixed = {
        measure: mine.filter(pl.col("measure") == measure)["value"].to_list()
        for measure in mine.filter(pl.col("category") == FIXED)["measure"].unique()
    }
    return fit(customers, quantiles=mine["quantile"].unique().sort().to_list(), fixed=fixed)


def words(definition: pl.DataFrame) -> dict[str, str]:  # noqa: ARG001 - cut points change no meaning
    """What each segment is."""
    return WORDS


def assign(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """The segment of each customer, in their order, with its three scores and monetary_amount.

    A score is 1 plus the number of cut points below the value; recency's is reversed: 5 is always best.
    Customers who are all alike share recency 5, frequency 1 and monetary 1.

    Raises:
        ValueError: there are customers, and the definition has no cut points for a measure.
    """
    scores = {score: _score(customers, definition, measure) for score, measure in MEASURES.items()}
    scores["recency_score"] = 6 - scores["recency_score"]
    value_score = (pl.col("frequency_score") + pl.col("monetary_score") + 1) // 2
    cell = 10 * pl.col("recency_score") + value_score
    segments = {10 * row + column: name for row in SEGMENTS for column, name in enumerate(SEGMENTS[row], 1)}
    return customers.select(
        "as_of_date", "customer_id", "monetary_amount", strategy=pl.lit(STRATEGY), **scores
    ).with_columns(cell.replace_strict(segments, return_dtype=pl.String).alias("segment"))


def heat_map(assigned: pl.DataFrame) -> pl.DataFrame:
    """The 25 cells of recency x frequency score: customer_count, average_monetary_amount (null if empty)."""
    cells = ["recency_score", "frequency_score"]
    # as Decimal the sum does not depend on the order of customers
    amount = pl.col("monetary_amount").cast(MONEY).sum().cast(pl.Float64)
    found = assigned.group_by(cells).agg(
        pl.len().cast(pl.Int64).alias("customer_count"), (amount / pl.len()).alias("average_monetary_amount")
    )
    scores = pl.Series(SCORES, dtype=pl.Int64)
    grid = scores.to_frame("recency_score").join(scores.to_frame("frequency_score"), how="cross")
    heat = grid.join(found, on=cells, how="left").sort(cells)
    return heat.with_columns(pl.col("customer_count").fill_null(0))


def _score(customers: pl.DataFrame, definition: pl.DataFrame, measure: str) -> pl.Expr:
    values = pl.Series([], dtype=pl.Float64) if customers.is_empty() else cut_points(definition, STRATEGY, measure)
    above = ((pl.col(measure) > value).cast(pl.Int64) for value in values)
    return sum(above, start=pl.lit(1, dtype=pl.Int64))
