"""Features beside a bare group-by, and snapshots of six days beside one.

`python -m benchmarks.features 1000000` asks for a million customers.
"""

import sys
from datetime import timedelta

import polars as pl

from benchmarks.clock import best
from benchmarks.shop import AS_OF, shop
from ml.backtest import build_snapshots
from ml.features import build_features


def bare_features(transactions: pl.DataFrame) -> pl.DataFrame:
    """The floor for features: recency, frequency, money and windows in one plain group-by, nothing checked."""
    days = (pl.lit(AS_OF) - pl.col("transaction_date")).dt.total_days()
    windows = [(days < length).sum().alias(f"count_{length}") for length in (30, 90, 180, 365)]
    sums = [pl.col("net_amount").filter(days < length).sum().alias(f"sum_{length}") for length in (30, 90, 180, 365)]
    return transactions.group_by("customer_id").agg(
        days.min().alias("recency"), days.max().alias("tenure"), pl.len(), pl.col("net_amount").sum(), *windows, *sums
    )


def main(customers: int = 100_000) -> None:
    """Print each stage beside its floor."""
    transactions = shop(customers)
    one = best(lambda: build_features(transactions, as_of=AS_OF))
    floor = best(lambda: bare_features(transactions))
    cutoffs = [AS_OF - timedelta(days=30 * step) for step in range(1, 7)]
    six = best(lambda: build_snapshots(transactions, cutoffs=cutoffs, horizon_days=30), times=1)
    snapshot = best(lambda: build_snapshots(transactions, cutoffs=cutoffs[:1], horizon_days=30))
    print(f"{transactions.height:,} transactions of {customers:,} customers, best of three\n")
    print(f"{'stage':<44}{'seconds':>9}{'floor':>9}{'ratio':>7}")
    rows = [("features at one date / bare group-by", one, floor), ("six snapshots / one snapshot", six, snapshot)]
    for name, ours, theirs in rows:
        print(f"{name:<44}{ours:>9.2f}{theirs:>9.2f}{ours / theirs:>7.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
