"""Training as every model family needs it: is it due, on which snapshots, and keep what came out.

The contest itself is `ml`'s; where the files lie is `model_files`'.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from math import isnan
from typing import Any, Protocol

import dagster as dg
import polars as pl

from ml.backtest import SNAPSHOTS, Cutoffs, build_snapshots, plan_cutoffs
from ml.gate import Comparison, Decision
from ml.schemas import empty
from orchestration.errors import ClienteleError
from orchestration.models import watch
from orchestration.models.evidence import Evidence
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.storage.model_files import ModelCard, ModelFiles, dump

RECIPE = 3  # raised when features or candidates change: what was trained by an older one serves no longer
COMPARED = (
    "auc",
    "brier",
    "normalised_gini",
    "rmse",
    "bias",
    "recall_at_10",
    "ndcg_at_10",
)  # shown for the rules as well
LIBRARIES = ("numpy", "polars", "scikit-learn", "scipy", "skops")


class Trained(Protocol):
    """What a family's `train` gives back."""

    @property
    def evaluations(self) -> pl.DataFrame: ...  # noqa: D102 - MODEL_EVALUATIONS without the version
    @property
    def decision(self) -> Decision: ...  # noqa: D102 - who serves and why
    @property
    def serving(self) -> Any: ...  # noqa: D102 - the fitted estimator


@dataclass(frozen=True)
class Question:
    """What one model is asked: the family, its horizon, whom it is about, since when and how much history it wants."""

    model: str
    horizon_days: int
    config: dict[str, Any]
    minimum_history_days: int
    maximum_training_cutoffs: int
    maximum_customers: int
    first_date: str = "select min(transaction_date) from marts.fct_transactions where is_purchase"


def shared_config(run: Run) -> dict[str, Any]:
    """What the answer of every model depends on, beside its own configuration."""
    models = run.source.models
    return {"seed": models.seed, "maximum_customers": models.maximum_customers, "recipe": RECIPE}


def files(run: Run) -> ModelFiles:
    """The kept trainings of the run's data folder."""
    return ModelFiles(run.settings.history_dir / "models")


def serving_card(run: Run, question: Question, *, as_of: date) -> ModelCard | None:
    """The newest training that may answer the question at a day."""
    return files(run).latest(
        question.model,
        horizon_days=question.horizon_days,
        source=run.source.name,
        as_of=as_of,
        config=question.config,
    )


def load(run: Run, question: Question, *, trusted: Sequence[str]) -> tuple[ModelCard, Any]:
    """The card and the fitted estimator that serve the question at the run's day.

    Raises:
        ClienteleError: nothing is on file, or the file is not the one that was kept.
    """
    card = serving_card(run, question, as_of=run.as_of)
    if card is None:
        raise ClienteleError(
            f"No {question.model} model is on file for {run.source.name}: launch the job `retrain` once."
        )
    return card, files(run).load(card, trusted=trusted)


def is_due(run: Run, card: ModelCard | None, *, as_of: date) -> bool:
    """Whether to train: when asked to, when there is nothing to serve, when the last training is too old, or drifted.

    The last only where the source file says so (`models.retrain_on_drift`).
    """
    if card is None or run.retrain:
        return True
    if run.retrain is not None:
        return False
    models, age = run.source.models, (as_of - card.as_of_date).days
    return age >= models.retrain_after_days or (models.retrain_on_drift and bool(watch.drifted(run, card, as_of=as_of)))


def plan(run: Run, question: Question, *, as_of: date) -> Cutoffs | None:
    """The past days to train and test on, or none where history is too short."""
    first = run.warehouse.read(question.first_date).item()
    if first is None:
        return None
    return plan_cutoffs(
        first_date=first,
        as_of=as_of,
        horizon_days=question.horizon_days,
        minimum_history_days=question.minimum_history_days,
        maximum_training=question.maximum_training_cutoffs,
    )


def snapshots(
    run: Run, question: Question, cutoffs: Cutoffs | None, *, as_of: date, extra: Iterable[date] = ()
) -> pl.DataFrame:
    """Labelled snapshots at every cut-off, at `as_of` and on `extra` days, of at most `maximum_customers` customers.

    Without a plan those of the latest matured day and of `as_of` alone. Which customers depends on their ids only.
    """
    past = cutoffs.all if cutoffs else (as_of - timedelta(days=question.horizon_days),)
    frames = consent.map_transactions(
        run,
        lambda bucket: build_snapshots(bucket, cutoffs=(*past, as_of, *extra), horizon_days=question.horizon_days),
        purpose="profiling",
        at_most=question.maximum_customers,
    )
    return pl.concat([empty(SNAPSHOTS), *frames]).sort("as_of_date", "customer_id")


def keep(
    run: Run,
    question: Question,
    trained: Trained,
    *,
    as_of: date,
    evidence: Evidence,
    calibration_points: pl.DataFrame | None = None,
) -> ModelCard:
    """Keep a training as a file and a card; the version says model, horizon, day and content.

    Files of older trainings beyond `models.keep_versions` go, their cards stay.
    """
    content = dump(trained.serving)
    digest = hashlib.sha256(content).hexdigest()
    decision = trained.decision
    card = ModelCard(
        model=question.model,
        model_version=f"{question.model}-{question.horizon_days}d-{as_of.isoformat()}-{digest[:8]}",
        source=run.source.name,
        as_of_date=as_of,
        trained_at=datetime.now(UTC).replace(tzinfo=None),
        horizon_days=question.horizon_days,
        served_by=decision.served_by,
        candidate=decision.candidate,
        statuses=decision.status,
        reason=decision.reason,
        reasons=decision.reasons,
        comparisons=[_flat(one) for one in decision.comparisons],
        config=question.config,
        library_versions={name: version(name) for name in LIBRARIES},
        model_sha256=digest,
        evaluations=trained.evaluations.to_dicts(),
        calibration_points=[] if calibration_points is None else calibration_points.to_dicts(),
        **vars(evidence),
    )
    files(run).keep(card, content)
    files(run).prune(card, keep=run.source.models.keep_versions)
    return card


def _flat(comparison: Comparison) -> dict[str, Any]:
    value, lower, upper = comparison.difference
    numbers = {"value": comparison.value, "difference": value, "lower": lower, "upper": upper}
    return {
        "candidate": comparison.candidate,
        "opponent": comparison.opponent or None,
        "metric": comparison.metric,
        **{name: None if isnan(number) else number for name, number in numbers.items()},
    }


def train_if_due(run: Run, question: Question, train: Callable[..., ModelCard]) -> tuple[ModelCard, bool]:
    """The training that serves now, and whether it was made just now; `train(cutoffs, as_of, champion)` makes one."""
    as_of = run.as_of
    card = serving_card(run, question, as_of=as_of)
    if card is not None and not is_due(run, card, as_of=as_of):
        return card, False
    champion = card.candidate if card is not None and card.served_by == "champion" else None
    return train(cutoffs=plan(run, question, as_of=as_of), as_of=as_of, champion=champion), True


def metadata(card: ModelCard, *, is_new: bool) -> dict[str, Any]:
    """What the UI shows of a training: who serves, why, the model's metrics as numbers, and the rules' beside them."""
    latest = max((str(row["cutoff_date"]) for row in card.evaluations), default="")
    numbers = {
        row["metric"] if row["candidate"] == card.candidate else f"{row['metric']}_{row['candidate']}": row["value"]
        for row in card.evaluations
        if row["value"] is not None
        and str(row["cutoff_date"]) == latest
        and (row["candidate"] == card.candidate or row["metric"] in COMPARED)
    }
    return {
        "model_version": card.model_version,
        "served_by": card.served_by,
        "candidate": card.candidate,
        "reason": dg.MetadataValue.md(card.reason),
        "warnings": dg.MetadataValue.md("\n".join(f"- {text}" for text in card.warnings) or "none"),
        "is_newly_trained": is_new,
        "trained_as_of_date": card.as_of_date.isoformat(),
        **{name: dg.MetadataValue.float(value) for name, value in numbers.items()},
    }
