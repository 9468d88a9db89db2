"""Value: what customers are expected to bring, and whether they are expected to stay. Bands of CLV x churn.

The scores are the models' or, on a past day, whatever stands in for them; they are not made here.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final

import polars as pl

from ml.segmentation.definitions import NOTHING, Background, Withheld, cut_points, define

STRATEGY: Final = "value"
QUANTILES: Final = (0.5, 0.8)
AT_RISK: Final = 0.5
BANDS: Final = ("low_value", "medium_value", "high_value")
OUTLOOKS: Final = {
    "secure": "expected to buy again within the horizon of churn",
    "at_risk": "more likely to stay away than not",
    "lapsed": "have not bought for so long that churn is not scored any more",
}


def fit(
    customers: pl.DataFrame,
    background: Background = NOTHING,  # noqa: ARG001 - bands need none
    *,
    quantiles: Sequence[float] = QUANTILES,
    at_risk: float = AT_RISK,
) -> pl.DataFrame:
    """Cut points of `expected_amount` over all customers, and the churn probability from which one is at risk.

    Raises:
        Withheld: nobody has a CLV prediction, or nobody a churn score.
    """
    for score, name in (("expected_amount", "a CLV prediction"), ("churn_probability", "a churn score")):
        if customers[score].drop_nulls().is_empty():
            raise Withheld("not_carried", f"nobody has {name}")
    amounts = customers["expected_amount"]
    rows: list[tuple[str, float | None, object]] = [
        ("expected_amount", quantile, amounts.quantile(quantile, "lower")) for quantile in quantiles
    ]
    rows.append(("churn_probability", None, at_risk))
    named = ("measure", "quantile", "value")
    return define(
        STRATEGY,
        customers["as_of_date"][0],
        ({"quantity": "cut_point", **dict(zip(named, row, strict=True))} for row in rows),
    )


def refit(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """The same quantiles of other customers, the same limit of risk."""
    mine = definition.filter(pl.col("strategy") == STRATEGY)
    quantiles = mine["quantile"].drop_nulls().unique().sort().to_list()
    at_risk = cut_points(definition, STRATEGY, "churn_probability").item()
    return fit(customers, quantiles=quantiles, at_risk=at_risk)


def words(definition: pl.DataFrame) -> dict[str, str]:
    """What each segment is."""
    low, high = cut_points(definition, STRATEGY, "expected_amount").to_list()
    amounts = (f"expected to bring at most {low:,.2f}", f"{low:,.2f} to {high:,.2f}", f"more than {high:,.2f}")
    bands = dict(zip(BANDS, amounts, strict=True))
    return {f"{band}_{name}": f"{bands[band]}; {text}" for band, (name, text) in product(BANDS, OUTLOOKS.items())}


def assign(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """The segment of each customer, in their order; without a churn score one is lapsed, without a CLV of low value."""
    low, high = cut_points(definition, STRATEGY, "expected_amount").to_list()
    at_risk = cut_points(definition, STRATEGY, "churn_probability").item()
    amount = pl.col("expected_amount").fill_null(float("-inf"))
    band = pl.when(amount > high).then(pl.lit(BANDS[2])).when(amount > low).then(pl.lit(BANDS[1]))
    risk = pl.when(pl.col("churn_probability").is_null()).then(pl.lit("lapsed"))
    outlook = risk.when(pl.col("churn_probability") >= at_risk).then(pl.lit("at_risk")).otherwise(pl.lit("secure"))
    return customers.select(
        "as_of_date",
        "customer_id",
        strategy=pl.lit(STRATEGY),
        segment=pl.format("{}_{}", band.otherwise(pl.lit(BANDS[0])), outlook),
    )
