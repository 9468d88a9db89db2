"""The floor for features: every column of ml.customer_features in one plain Polars script, in floats, unchecked."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl

WINDOWS_DAYS = (30, 90, 180, 365)


def bare_features(transactions: Path, target: Path) -> dict[str, int]:
    """Features at the last day of a Parquet file of transactions, written as Parquet; how many customers."""
    as_of = pl.scan_parquet(transactions).select(pl.col("transaction_date").max()).collect().item()
    rows = pl.scan_parquet(transactions).filter(pl.col("customer_id").is_not_null())
    money = ("gross_amount", "discount_amount", "net_amount")
    features = (
        rows.with_columns(pl.col(money).cast(pl.Float64))
        .group_by("customer_id")
        .agg(*_totals(as_of), *_windows(as_of))
        .filter(pl.col("frequency_count") > 0)
        .with_columns(pl.col("days").list.diff(null_behavior="drop").alias("gaps"), **_days(as_of))
        .with_columns(*_averages())
        .drop("days", "gaps")
        .collect()
    )
    features.write_parquet(target)
    return {"customers": features.height}


def _totals(as_of: date) -> list[pl.Expr]:
    bought, net = pl.col("is_purchase"), pl.col("net_amount")
    return [
        pl.lit(as_of).first().alias("as_of_date"),
        bought.sum().alias("frequency_count"),
        net.sum().alias("monetary_amount"),
        pl.when(bought).then(net).sum().alias("order_amount"),
        pl.when(bought).then(pl.col("gross_amount")).sum().alias("order_gross_amount"),
        pl.when(bought).then(pl.col("discount_amount")).sum().alias("order_discount_amount"),
        pl.when(bought).then(pl.col("line_count")).sum().alias("order_line_count"),
        pl.when(pl.col("is_return")).then(net).sum().alias("returned_amount"),
        (bought & (pl.col("transaction_date").dt.weekday() >= 6)).sum().alias("weekend_count"),
        (bought & (pl.col("occurred_at").dt.hour() >= 18)).sum().alias("evening_count"),
        pl.col("transaction_date").filter(bought).unique().sort().to_physical().alias("days"),
    ]


def _windows(as_of: date) -> list[pl.Expr]:
    found = []
    for length in WINDOWS_DAYS:
        inside = pl.col("transaction_date") > as_of - timedelta(days=length)
        found.append((pl.col("is_purchase") & inside).sum().alias(f"purchase_count_{length}_days"))
        found.append(pl.when(inside).then(pl.col("net_amount")).sum().alias(f"net_amount_{length}_days"))
    return found


def _days(as_of: date) -> dict[str, pl.Expr]:
    today, days = (as_of - date(1970, 1, 1)).days, pl.col("days").list
    return {
        "recency_days": today - days.last(),
        "tenure_days": today - days.first(),
        "first_purchase_date": days.first().cast(pl.Date),
        "last_purchase_date": days.last().cast(pl.Date),
        "purchase_day_count": days.len(),
    }


def _averages() -> list[pl.Expr]:
    gaps, count, orders = pl.col("gaps").list, pl.col("frequency_count"), pl.col("order_amount")
    return [
        gaps.mean().alias("gap_mean_days"),
        gaps.median().alias("gap_median_days"),
        gaps.std().alias("gap_deviation_days"),
        gaps.last().alias("last_gap_days"),
        (orders / count).alias("average_order_amount"),
        (pl.col("order_line_count") / count).alias("average_line_count"),
        (pl.col("order_discount_amount") / pl.col("order_gross_amount")).alias("discount_share"),
        (-pl.col("returned_amount") / orders).alias("return_share"),
        (pl.col("weekend_count") / count).alias("weekend_share"),
        (pl.col("evening_count") / count).alias("evening_share"),
    ]
