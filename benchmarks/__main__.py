"""Print each stage's best time of three beside its floor; only the ratios mean something on a shared machine."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from benchmarks import contest
from benchmarks.purchases import beside_lifetimes
from ml.backtest import build_snapshots
from ml.btyd.bg_nbd import BgNbd
from ml.features import build_features
from ml.schemas import TRANSACTIONS, conform

AS_OF = date(2025, 12, 31)
CUSTOMERS, TRANSACTION_COUNT = 50_000, 1_000_000


def shop(*, seed: int = 0) -> pl.DataFrame:
    """TRANSACTIONS of a seeded shop: gamma-distributed activity over three years."""
    random = np.random.default_rng(seed)
    activity = random.gamma(0.8, size=CUSTOMERS)
    customers = random.choice(CUSTOMERS, size=TRANSACTION_COUNT, p=activity / activity.sum())
    minutes = random.integers(0, 3 * 365 * 24 * 60, size=TRANSACTION_COUNT)
    amounts = random.gamma(2.0, 15.0, size=TRANSACTION_COUNT).round(2)
    start = datetime(2023, 1, 1)  # noqa: DTZ001 - the clock of the shop
    frame = pl.DataFrame({"customer": customers, "minutes": minutes, "amount": amounts}).select(
        transaction_id=pl.int_range(pl.len()).cast(pl.String),
        customer_id=pl.col("customer").cast(pl.String),
        occurred_at=pl.lit(start) + pl.duration(minutes="minutes"),
        line_count=pl.lit(3),
        gross_amount="amount",
        discount_amount=pl.lit(0),
        net_amount="amount",
        is_purchase=pl.lit(value=True),
        is_return=pl.lit(value=False),
    )
    return conform(frame.with_columns(transaction_date=pl.col("occurred_at").dt.date()), TRANSACTIONS)


def bare_features(transactions: pl.DataFrame) -> pl.DataFrame:
    """The floor for features: recency, frequency, money and windows in one plain group-by, nothing checked."""
    days = (pl.lit(AS_OF) - pl.col("transaction_date")).dt.total_days()
    windows = [(days < length).sum().alias(f"count_{length}") for length in (30, 90, 180, 365)]
    sums = [pl.col("net_amount").filter(days < length).sum().alias(f"sum_{length}") for length in (30, 90, 180, 365)]
    return transactions.group_by("customer_id").agg(
        days.min().alias("recency"), days.max().alias("tenure"), pl.len(), pl.col("net_amount").sum(), *windows, *sums
    )


def best(work: Callable[[], object], *, times: int = 3) -> float:
    """Seconds of the fastest of some runs."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    """Print the table."""
    transactions = shop()
    one = best(lambda: build_features(transactions, as_of=AS_OF))
    floor = best(lambda: bare_features(transactions))
    cutoffs = [AS_OF - timedelta(days=30 * step) for step in range(1, 7)]
    six = best(lambda: build_snapshots(transactions, cutoffs=cutoffs, horizon_days=30), times=1)
    snapshot = best(lambda: build_snapshots(transactions, cutoffs=cutoffs[:1], horizon_days=30))
    features = build_features(transactions, as_of=AS_OF)
    history = features.select(
        x=pl.col("purchase_day_count") - 1, t_x=pl.col("tenure_days") - pl.col("recency_days"), T="tenure_days"
    ).to_numpy()
    fit = best(lambda: BgNbd().fit(history), times=1)
    print(f"{TRANSACTION_COUNT:,} transactions of {CUSTOMERS:,} customers, best of three\n")
    print(f"{'stage':<44}{'seconds':>9}{'floor':>9}{'ratio':>7}")
    rows = [("features at one date / bare group-by", one, floor), ("six snapshots / one snapshot", six, snapshot)]
    for name, ours, theirs in rows:
        print(f"{name:<44}{ours:>9.2f}{theirs:>9.2f}{ours / theirs:>7.1f}")
    print(f"{'BG/NBD fit, seconds per 100,000 customers':<44}{fit * 100_000 / len(history):>9.2f}")
    beside_lifetimes()
    print()
    contest.main()


main()
