"""What a training's card says beside who won: on what data, how each declared group fares, and what later days of
the same model are compared with.

The numbers are `ml`'s; which customers and attributes they are about is said here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from ml import drift, fairness
from ml.backtest import at
from orchestration.runs.run import Run

ATTRIBUTES: Final = ("age_band", "gender", "region")
"""The columns of marts.dim_customers by which every evaluation is made, where customers have values in them."""


@dataclass(frozen=True)
class Evidence:
    """Fields of a ModelCard."""

    data_window: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    fairness: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    sample: dict[str, Any] = field(default_factory=dict)
    quality: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """One training: the labelled snapshots that it saw, and TESTED of who serves (none without a contest)."""

    model: str
    as_of: date
    horizon_days: int
    snapshots: pl.DataFrame
    tested: pl.DataFrame


def gather(run: Run, trial: Trial, *, score: Callable[[pl.DataFrame], pl.Series]) -> Evidence:
    """The evidence of a training; `score` is what the fitted model says of snapshots."""
    models = run.source.models
    limits = fairness.Limits(models.fairness_limit)
    rows = fairness.grade_groups(
        trial.model,
        trial.tested,
        declared_groups(run, as_of=trial.as_of),
        seed=models.seed,
        flagged_from=models.churn.risk_bands[1],
        limits=limits,
    )
    first = trial.snapshots["first_purchase_date" if _is_about_purchases(trial) else "as_of_date"].min()
    matured = trial.as_of - timedelta(days=trial.horizon_days)
    return Evidence(
        data_window=[first.isoformat(), trial.as_of.isoformat()] if isinstance(first, date) else [],
        counts={
            "customers": trial.snapshots["customer_id"].n_unique(),
            "outcomes": trial.snapshots.filter(pl.col("as_of_date") <= matured).height,
            "tested_customers": trial.tested.height,
        },
        fairness=rows.to_dicts(),
        warnings=fairness.warnings(trial.model, rows, limits=limits),
        sample=_sample(run, trial, matured, score=score),
    )


def _is_about_purchases(trial: Trial) -> bool:
    return "first_purchase_date" in trial.snapshots.columns


def declared_groups(run: Run, *, as_of: date) -> pl.DataFrame:
    """One row per customer, with the declared attributes that anybody has a value in, as text.

    Where no age band is declared but a date of birth is, it is ten years of age at the day.
    """
    columns = ", ".join(ATTRIBUTES)
    groups = run.warehouse.read(
        f"select customer_id, {columns}, birth_date from marts.dim_customers order by customer_id"
    )
    if groups["age_band"].null_count() == groups.height:
        birthday_to_come = pl.col("birth_date").dt.strftime("%m%d") > as_of.strftime("%m%d")
        age = as_of.year - pl.col("birth_date").dt.year() - birthday_to_come.cast(pl.Int32)
        decade = age // 10 * 10
        groups = groups.with_columns(
            age_band=pl.when(age.is_between(0, 120)).then(pl.format("{} to {}", decade, decade + 9))
        )
    known = [name for name in ATTRIBUTES if groups[name].null_count() < groups.height]
    return groups.select("customer_id", *known)


def watched_customers(run: Run) -> str:
    """SQL condition on features: who bought lately. Of those who left long ago every day moves every feature."""
    return f"recency_days < {run.source.models.churn.active_window_days}"


def _sample(run: Run, trial: Trial, day: date, *, score: Callable[[pl.DataFrame], pl.Series]) -> dict[str, Any]:
    """Features and scores on the last day whose outcomes the model knows, as points of their quantiles.

    Contracts are few numbers and many categories, of which quantiles say little: there scores alone are watched, from
    the first batch on.
    """
    if not _is_about_purchases(trial):
        return {}
    everyone = at(trial.snapshots, day)
    some = everyone.filter(pl.col("recency_days") < run.source.models.churn.active_window_days)
    first = everyone["first_purchase_date"].min()
    if some.height < drift.POINTS or not isinstance(first, date):
        return {}
    return {
        "date": day.isoformat(),
        "customers": some.height,
        "features": drift.feature_points(some, first_date=first, as_of=day),
        "score": drift.points(score(some)),
    }
