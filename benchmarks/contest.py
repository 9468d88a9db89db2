"""What a contest of all candidates costs, and what is lost by learning from a sample of the customers.

`python -m benchmarks.contest 50000` learns from as many customers as a run does at most by default.
"""

import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from ml import metrics
from ml.backtest import Cutoffs, at, build_snapshots, plan_cutoffs
from ml.churn import training as churn
from ml.churn.scoring import score
from ml.clv import training as clv
from ml.features import build_features
from ml.schemas import TRANSACTIONS, conform

AS_OF, DAYS, HORIZON = date(2025, 12, 31), 3 * 365, 90


def shop(customers: int, *, seed: int = 0) -> pl.DataFrame:
    """TRANSACTIONS of customers who joined over three years, bought at gamma rates and dropped out (BG/NBD)."""
    random = np.random.default_rng(seed)
    joined = random.uniform(0, DAYS - 1, customers)
    rate, last = random.gamma(0.9, 1 / 35, customers), random.beta(0.7, 3.0, customers)
    spend = 30 * 5 / random.gamma(5, 1, customers)
    at_day, active = joined.copy(), np.arange(customers)
    rows = []
    while len(active):
        rows.append(np.column_stack([active, at_day[active], spend[active] * random.gamma(4, 0.25, len(active))]))
        active = active[random.random(len(active)) > last[active]]
        at_day[active] += random.exponential(1, len(active)) / rate[active]
        active = active[at_day[active] < DAYS]
    customer, day, amount = np.concatenate(rows).T
    start = AS_OF - timedelta(days=DAYS - 1)
    frame = pl.DataFrame(
        {"customer_id": customer.astype(np.int64), "day": np.floor(day), "net_amount": amount.round(2)}
    )
    dated = frame.with_columns(transaction_date=pl.lit(start) + pl.duration(days=pl.col("day").cast(pl.Int64)))
    return conform(
        dated.with_columns(
            pl.col("customer_id").cast(pl.String),
            transaction_id=pl.int_range(pl.len()),
            occurred_at=pl.col("transaction_date").cast(pl.Datetime("us")),
            line_count=pl.lit(1),
            gross_amount=pl.col("net_amount"),
            discount_amount=pl.lit(0),
            value_amount=pl.col("net_amount"),
            is_purchase=pl.lit(value=True),
            is_return=pl.lit(value=False),
        ),
        TRANSACTIONS,
    )


def timed(what: str, work: Callable[[], Any]) -> Any:
    """What came of some work, with its seconds printed."""
    start = time.perf_counter()
    found = work()
    print(f"{what:<58}{time.perf_counter() - start:>8.1f} s", flush=True)
    return found


def cost(transactions: pl.DataFrame, cutoffs: Cutoffs) -> None:
    """Seconds of both contests with all their tests, and of scoring."""
    days = (*cutoffs.all, AS_OF)
    snapshots = timed(
        f"snapshots of {len(days)} days", lambda: build_snapshots(transactions, cutoffs=days, horizon_days=HORIZON)
    )
    asked = churn.Question(AS_OF, HORIZON, active_window_days=180, seed=0)
    trained = timed(
        "churn: five models, four rules, three tests", lambda: churn.train(snapshots, asked, cutoffs=cutoffs)
    )
    question = clv.Question(AS_OF, HORIZON, seed=0)
    timed("CLV: nine models, five rules, three tests", lambda: clv.train(snapshots, question, cutoffs=cutoffs))
    features = timed("features of a day", lambda: build_features(transactions, as_of=AS_OF))
    timed(
        f"churn scores by {trained.decision.candidate}",
        lambda: score(features, trained.serving, horizon_days=HORIZON, served_by="champion", model_version="v"),
    )


def loss(transactions: pl.DataFrame, cutoffs: Cutoffs, sizes: list[int]) -> None:
    """AUC and Brier score on customers that nobody learned from, by how many customers the fit has seen."""
    fold = cutoffs.tests[0]
    days = (*fold.learning, fold.day)
    snapshots = build_snapshots(transactions, cutoffs=days, horizon_days=HORIZON)
    number = pl.col("customer_id").cast(pl.Int64)
    held = at(snapshots, fold.day).filter(number >= max(sizes), pl.col("recency_days") < 180)
    actual = held["is_churned"].cast(pl.Float64).to_numpy()
    print(f"\nlearned from so many customers, tested on {held.height:,} others")
    for size in sizes:
        asked = churn.Question(AS_OF, HORIZON, active_window_days=180, seed=0)
        past = churn.Past.of(snapshots.filter(number < size), asked)
        purchases = past.purchases(fold)
        line = f"{size:>10,}"
        for name in ("logistic_regression", "gradient_boosting"):
            told = past.fit(name, fold, purchases).churn_probability(held)
            line += f"   {name} AUC {metrics.auc(actual, told):.4f} Brier {metrics.brier(actual, told):.4f}"
        print(line, flush=True)


def main(customers: int = 20_000) -> None:
    """Print seconds of one contest, then what sampling loses."""
    transactions = shop(2 * customers)
    some = transactions.filter(pl.col("customer_id").cast(pl.Int64) < customers)
    first = AS_OF - timedelta(days=DAYS - 1)
    cutoffs = plan_cutoffs(
        first_date=first, as_of=AS_OF, horizon_days=HORIZON, minimum_history_days=60, maximum_training=6
    )
    assert cutoffs is not None
    print(f"{customers:,} customers, {some.height:,} transactions over three years")
    cost(some, cutoffs)
    loss(transactions, cutoffs, [customers // 10, customers // 4, customers])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
