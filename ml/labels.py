"""What each customer did in the days after a cut-off: the truth that models learn from and are graded by.

The only place in `ml` that looks past `as_of`. Whether the horizon has passed at all, `backtest` knows.
"""

from datetime import date, timedelta

import polars as pl

from ml.schemas import LABELS, conform


def label_outcomes(transactions: pl.DataFrame, *, as_of: date, horizon_days: int) -> pl.DataFrame:
    """The customer_id and LABELS of every customer with a purchase up to `as_of`, sorted by customer_id.

    The horizon is `as_of` < transaction_date <= `as_of` + `horizon_days`. Churned means no purchase in it (a
    return is none); `future_amount` is the value of all its rows, so returns lower it.

    Raises:
        polars.exceptions.ColumnNotFoundError: a column of TRANSACTIONS is missing.
    """
    is_future = pl.col("transaction_date") > as_of
    labels = (
        transactions.lazy()
        .filter(pl.col("transaction_date") <= as_of + timedelta(days=horizon_days))
        .group_by("customer_id")
        .agg(
            (pl.col("is_purchase") & ~is_future).any().alias("is_customer"),
            (pl.col("is_purchase") & is_future).sum().alias("future_purchase_count"),
            pl.when(is_future).then(pl.col("value_amount")).sum().alias("future_amount"),
        )
        .filter("is_customer")
        .with_columns((pl.col("future_purchase_count") == 0).alias("is_churned"))
        .sort("customer_id")
        .collect()
    )
    return conform(labels, {"customer_id": pl.String} | LABELS)
