"""The measures by which behaviour is clustered: on a scale on which distances mean something.

Amounts and counts are logarithms. How long ago somebody bought is left to `lifecycle`: it changes from day to day, and
segments by it would. Shares of few purchases are drawn towards everyone's, as if PSEUDO_PURCHASES more had
been made: one purchase on a Saturday makes no weekend shopper.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Array = npt.NDArray[np.float64]

PSEUDO_PURCHASES: Final = 5

LOGARITHMS: Final = ("purchase_count_365_days", "average_order_amount", "average_line_count")
SHARES: Final = ("discount_share", "weekend_share", "evening_share", "return_share")
SETS: Final = ((*LOGARITHMS, *SHARES), (*LOGARITHMS, "discount_share"), LOGARITHMS[:2])
"""Richest first: a measure in which customers differ by chance alone hides the others."""

WORDS: Final = {
    "purchase_count_365_days": ("frequent", "seldom"),
    "average_order_amount": ("big_orders", "small_orders"),
    "average_line_count": ("many_items", "few_items"),
    "discount_share": ("on_discount", "full_price"),
    "weekend_share": ("weekend", "weekday"),
    "evening_share": ("evening", "daytime"),
    "return_share": ("returning_goods", "keeping_goods"),
}
"""What a segment is called whose customers have more, or less, of a measure than everyone."""

TEXTS: Final = {
    "purchase_count_365_days": ("purchases a year", "{:,.1f}"),
    "average_order_amount": ("amount of an order", "{:,.2f}"),
    "average_line_count": ("lines of an order", "{:,.1f}"),
    "discount_share": ("discount", "{:.0%}"),
    "weekend_share": ("purchases on weekends", "{:.0%}"),
    "evening_share": ("purchases in the evening", "{:.0%}"),
    "return_share": ("returned", "{:.0%}"),
}


def measure(customers: pl.DataFrame, names: tuple[str, ...], averages: dict[str, float]) -> Array:
    """The measures of each customer, shape (customers, names); `averages` are everyone's shares."""
    weight = pl.col("frequency_count").cast(pl.Float64)
    columns = [
        ((pl.col(name) * weight + averages[name] * PSEUDO_PURCHASES) / (weight + PSEUDO_PURCHASES)).alias(name)
        if name in SHARES
        else pl.col(name).cast(pl.Float64).clip(lower_bound=0).log1p().alias(name)
        for name in names
    ]
    return customers.select(columns).to_numpy().astype(np.float64, copy=False).reshape(-1, len(names))


def average_shares(customers: pl.DataFrame) -> dict[str, float]:
    """Everyone's share of each kind, over all purchases."""
    weight = pl.col("frequency_count").cast(pl.Float64)
    ordered = customers.sort("customer_id")  # sums of floats depend on order
    found = ordered.select((pl.col(name) * weight).sum() / weight.sum() for name in SHARES).row(0, named=True)
    return {name: 0.0 if value is None or np.isnan(value) else float(value) for name, value in found.items()}


def in_words(name: str, mine: float, everyone: float) -> str:
    """A measure of a segment's typical customer beside everyone's, in plain units."""
    label, number = TEXTS[name]
    shown = [
        number.format(max(0.0, one) if name in SHARES else float(np.expm1(max(0.0, one)))) for one in (mine, everyone)
    ]
    return f"{label} {shown[0]} (all customers {shown[1]})"
