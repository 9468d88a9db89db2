"""What is known about each customer on a day: one row of features from the transactions up to `as_of`.

Training at past cut-offs, scoring and back-filling are this one function with another date. It sees one
bucket of customers, all rows of each. What happened after `as_of` belongs to `labels`; scaling, imputing and
ratios made for one model belong to that model.

Bit-identical whatever the order of rows: money adds up as Decimal, counts as integers, gaps in date order.
"""

from datetime import date, timedelta

import polars as pl

from ml.schemas import CUSTOMER_FEATURES, WINDOWS_DAYS, conform

EVENING_STARTS_HOUR = 18
SATURDAY = 6


def build_features(transactions: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """CUSTOMER_FEATURES of the customers with a purchase up to and including `as_of`, sorted by customer_id.

    `transactions` are TRANSACTIONS rows of whole customers; rows after `as_of` change nothing. Money is net of returns
    unless named after orders, and value is margin where costs are known; gaps are days between consecutive distinct
    purchase days, null where there are too few; a share of nothing is 0; the window of N days includes `as_of`.

    Raises:
        polars.exceptions.ColumnNotFoundError: a column of TRANSACTIONS is missing.
    """
    features = (
        transactions.lazy()
        .filter(pl.col("transaction_date") <= as_of)
        .group_by("customer_id")
        .agg(*_totals(), *_window_totals(as_of))
        .filter(pl.col("frequency_count") > 0)
        .with_columns(
            pl.lit(as_of).alias("as_of_date"),
            pl.col("purchase_days").list.first().alias("first_purchase_date"),
            pl.col("purchase_days").list.last().alias("last_purchase_date"),
            pl.col("purchase_days").list.len().alias("purchase_day_count"),
            pl.col("purchase_days").cast(pl.List(pl.Int64)).list.diff(null_behavior="drop").alias("gaps"),
        )
        .with_columns(*_days(as_of), *_gaps(), *_averages_and_shares())
        .sort("customer_id")
        .collect()
    )
    return conform(features, CUSTOMER_FEATURES)


def _sum_where(condition: pl.Expr, column: str) -> pl.Expr:
    # when-then-sum streams; a filter inside the aggregation takes twice the time
    return pl.when(condition).then(pl.col(column)).sum()


def _totals() -> list[pl.Expr]:
    is_purchase = pl.col("is_purchase")
    is_weekend = pl.col("transaction_date").dt.weekday() >= SATURDAY
    is_evening = pl.col("occurred_at").dt.hour() >= EVENING_STARTS_HOUR
    return [
        is_purchase.sum().alias("frequency_count"),
        pl.col("net_amount").sum().alias("monetary_amount"),
        pl.col("value_amount").sum(),
        _sum_where(is_purchase, "net_amount").alias("order_amount"),
        _sum_where(is_purchase, "gross_amount").alias("order_gross_amount"),
        _sum_where(is_purchase, "discount_amount").alias("order_discount_amount"),
        _sum_where(is_purchase, "line_count").alias("order_line_count"),
        _sum_where(pl.col("is_return"), "net_amount").alias("returned_amount"),
        (is_purchase & is_weekend).sum().alias("weekend_count"),
        (is_purchase & is_evening).sum().alias("evening_count"),
        pl.col("transaction_date").filter(is_purchase).unique().sort().alias("purchase_days"),
    ]


def _window_totals(as_of: date) -> list[pl.Expr]:
    totals = []
    for days in WINDOWS_DAYS:
        in_window = pl.col("transaction_date") > as_of - timedelta(days=days)
        totals += [
            (pl.col("is_purchase") & in_window).sum().alias(f"purchase_count_{days}_days"),
            _sum_where(in_window, "net_amount").alias(f"net_amount_{days}_days"),
        ]
    return totals


def _days(as_of: date) -> list[pl.Expr]:
    return [
        (as_of - pl.col("last_purchase_date")).dt.total_days().alias("recency_days"),
        (as_of - pl.col("first_purchase_date")).dt.total_days().alias("tenure_days"),
    ]


def _gaps() -> list[pl.Expr]:
    gaps = pl.col("gaps").list
    return [
        gaps.mean().alias("gap_mean_days"),
        gaps.median().alias("gap_median_days"),
        gaps.std(ddof=1).alias("gap_deviation_days"),
        gaps.last().alias("last_gap_days"),
    ]


def _averages_and_shares() -> list[pl.Expr]:
    return [
        _share("order_amount", "frequency_count").alias("average_order_amount"),
        _share("order_line_count", "frequency_count").alias("average_line_count"),
        _share("order_discount_amount", "order_gross_amount").alias("discount_share"),
        # 0 - x rather than -x: without returns the share is 0.0, not -0.0
        (0 - _share("returned_amount", "order_amount")).alias("return_share"),
        _share("weekend_count", "frequency_count").alias("weekend_share"),
        _share("evening_count", "frequency_count").alias("evening_share"),
    ]


def _share(part: str, whole: str) -> pl.Expr:
    whole_number = pl.col(whole).cast(pl.Float64)
    return pl.when(whole_number != 0).then(pl.col(part).cast(pl.Float64) / whole_number).otherwise(0.0)
