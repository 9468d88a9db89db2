"""How a model that serves has aged: is it too old, have scores and features moved since its training, and was it right.

The indices are `ml.drift`'s; what is kept of each day is `history`'s. Here they become sentences and reasons to train.
"""

from collections.abc import Iterator
from datetime import date

import polars as pl

from orchestration.runs.run import Run
from orchestration.storage.history import History
from orchestration.storage.model_files import ModelCard

NAMED = 5  # features in a sentence
GRADES = {"churn": "calibration_in_the_large", "clv": "bias"}


def is_stale(run: Run, card: ModelCard) -> bool:
    """Whether the training is older at the run's day than the source file lets it be."""
    return (run.as_of - card.as_of_date).days > run.source.models.stale_after_days


def drifted(run: Run, card: ModelCard, *, as_of: date) -> list[str]:
    """What had moved beyond the warning on the last published day before `as_of`, and had not when it first served.

    What was there on the first day of a version no other training cures: its latest outcomes are as old as these were.
    """
    history = History(run.settings.history_dir, source=run.source.name)
    days = [day for day in history.days("drift") if card.as_of_date <= day < as_of]
    kept = [history.read("drift", day).filter(pl.col("model_version") == card.model_version) for day in days]
    if not kept or kept[-1].is_empty():
        return []
    first = next(frame for frame in kept if frame.height)
    beyond = pl.col("psi") > run.source.models.drift_warning
    before, now = (set(frame.filter(beyond)["feature"]) for frame in (first, kept[-1]))
    return sorted(now - before)


def warnings(run: Run, card: ModelCard) -> Iterator[tuple[str, str]]:
    """Kind and sentence of everything that is wrong with the training that serves, from the tables of the day."""
    models, age = run.source.models, (run.as_of - card.as_of_date).days
    for text in card.warnings:
        yield "fairness", text
    version = f"model_version = '{card.model_version}'"
    scores = run.warehouse.read(f"from ml.model_drift where {version} and drift > {models.drift_warning}")
    for row in scores.iter_rows(named=True):
        yield (
            "drift",
            (
                f"{card.model}: scores are far from those of {row['reference_date']} "
                f"({row['reference'].replace('_', ' ')}): PSI {row['drift']:.2f}."
            ),
        )
    features = run.warehouse.read(
        f"from ml.feature_drift where {version} and psi > {models.drift_warning} order by psi desc, feature"
    )
    if features.height:
        named = ", ".join(f"{row['feature']} ({row['psi']:.2f})" for row in features.head(NAMED).iter_rows(named=True))
        more = f" and {features.height - NAMED} more" if features.height > NAMED else ""
        yield "drift", f"{card.model}: features are far from those of training, by PSI: {named}{more}."
    grade = run.warehouse.read(
        f"from ml.score_outcomes where model = '{card.model}' and horizon_days = {card.horizon_days} "
        f"and metric = '{GRADES[card.model]}' and not is_backfilled order by matured_date desc limit 1"
    )
    for row in grade.iter_rows(named=True):
        if row["value"] is not None and abs(row["value"]) > models.calibration_warning:
            yield (
                "calibration",
                (
                    f"{card.model}: scores of {row['scored_as_of_date']} were too "
                    f"{'high' if row['value'] > 0 else 'low'}: {row['metric'].replace('_', ' ')} {row['value']:+.3f}."
                ),
            )
    if is_stale(run, card):
        yield "stale", f"{card.model}: trained {age} days ago, more than {models.stale_after_days}."
