"""What a contest of all candidates costs, and what is lost by learning from a sample of the customers.

`python -m benchmarks.contest 50000` learns from as many customers as a run does at most by default.
"""

import sys
from collections.abc import Callable
from typing import Any

import polars as pl

from benchmarks.clock import timed
from benchmarks.shop import AS_OF, FIRST_DATE, shop
from ml import metrics
from ml.backtest import Cutoffs, at, build_snapshots, plan_cutoffs
from ml.churn import training as churn
from ml.churn.scoring import score
from ml.clv import training as clv
from ml.features import build_features

HORIZON = 90


def told(what: str, work: Callable[[], Any]) -> Any:
    """What came of some work, with its seconds printed."""
    seconds, found = timed(work)
    print(f"{what:<58}{seconds:>8.1f} s", flush=True)
    return found


def cost(transactions: pl.DataFrame, cutoffs: Cutoffs) -> None:
    """Seconds of both contests with all their tests, and of scoring."""
    days = (*cutoffs.all, AS_OF)
    snapshots = told(
        f"snapshots of {len(days)} days", lambda: build_snapshots(transactions, cutoffs=days, horizon_days=HORIZON)
    )
    asked = churn.Question(AS_OF, HORIZON, active_window_days=180, seed=0)
    trained = told(
        "churn: five models, four rules, three tests", lambda: churn.train(snapshots, asked, cutoffs=cutoffs)
    )
    question = clv.Question(AS_OF, HORIZON, seed=0)
    told("CLV: nine models, five rules, three tests", lambda: clv.train(snapshots, question, cutoffs=cutoffs))
    features = told("features of a day", lambda: build_features(transactions, as_of=AS_OF))
    told(
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
            predicted = past.fit(name, fold, purchases).churn_probability(held)
            line += f"   {name} AUC {metrics.auc(actual, predicted):.4f} Brier {metrics.brier(actual, predicted):.4f}"
        print(line, flush=True)


def main(customers: int = 20_000) -> None:
    """Print seconds of one contest, then what sampling loses."""
    transactions = shop(2 * customers)
    some = transactions.filter(pl.col("customer_id").cast(pl.Int64) < customers)
    cutoffs = plan_cutoffs(
        first_date=FIRST_DATE, as_of=AS_OF, horizon_days=HORIZON, minimum_history_days=60, maximum_training=6
    )
    assert cutoffs is not None
    print(f"{customers:,} customers, {some.height:,} transactions over three years")
    cost(some, cutoffs)
    loss(transactions, cutoffs, [customers // 10, customers // 4, customers])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
