"""The watch over models that serve: how far scores and features have moved, and everything worth a warning."""

from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from ml.drift import feature_drift as drift_of_features
from ml.drift import kolmogorov_smirnov, moved, population_stability_index
from ml.schemas import FEATURE_DRIFT, MODEL_DRIFT, MODEL_WARNINGS, Schema, conform, empty
from orchestration.dbt.assets import OWNERS
from orchestration.models import training, watch
from orchestration.models.evidence import watched_customers
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.storage.history import LEDGER, SCORES, History
from orchestration.storage.model_files import ModelCard


@dg.asset(
    key=["ml", "model_drift"],
    deps=[["ml", "churn_scores"], ["ml", "clv_predictions"], ["ml", "customer_features"]],
    group_name="models",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per model x horizon: how far its scores are from those of its training, among customers who "
    "bought lately; from its first batch where the training kept too few.",
)
def model_drift(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Compare the scores of the day with those of the training, or with the first batch of the version."""
    as_of, rows = run.as_of, []
    for card in _serving(run):
        reference = _against_training(run, card) or _against_first_batch(run, card, as_of)
        rows.append({"as_of_date": as_of, **_named(card), **reference})
    return _written(run, "ml.model_drift", _frame(rows, MODEL_DRIFT), MODEL_DRIFT)


@dg.asset(
    key=["ml", "feature_drift"],
    deps=[["ml", "churn_scores"], ["ml", "clv_predictions"], ["ml", "customer_features"]],
    group_name="models",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per model x horizon x feature: how far the customers who bought lately are from those of whom "
    "the model learned.",
)
def feature_drift(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Compare the features of the day with what each training remembers of its own."""
    frames, as_of = [empty(FEATURE_DRIFT)], run.as_of
    for card in _serving(run):
        then = card.sample.get("features", {})
        if then:
            features = _watched(run, "ml.customer_features", list(then))
            named = {"as_of_date": as_of, **_named(card)}
            found = drift_of_features(then, features).with_columns(**{name: pl.lit(v) for name, v in named.items()})
            frames.append(conform(found, FEATURE_DRIFT))
    return _written(run, "ml.feature_drift", pl.concat(frames), FEATURE_DRIFT)


@dg.asset(
    key=["ml", "model_warnings"],
    deps=[["ml", "model_drift"], ["ml", "feature_drift"], ["ml", "score_outcomes"], ["ml", "model_fairness"]],
    group_name="models",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row per warning about a model that serves: a group that it treats otherwise, drift, scores that "
    "were off, age.",
)
def model_warnings(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Put into sentences what the tables of the day say of every model that serves."""
    as_of = run.as_of
    rows = [
        {"as_of_date": as_of, **_named(card), "kind": kind, "warning": text}
        for card in _serving(run)
        for kind, text in watch.warnings(run, card)
    ]
    said = dg.MetadataValue.md("\n".join(f"- {row['warning']}" for row in rows) or "none")
    return _written(run, "ml.model_warnings", _frame(rows, MODEL_WARNINGS), MODEL_WARNINGS, warnings=said)


def _serving(run: Run) -> list[ModelCard]:
    """The cards of the versions that scored today."""
    served = {
        version
        for table in LEDGER.values()
        for version in run.warehouse.read(f"select distinct model_version from {table}")["model_version"]
    }
    cards = training.files(run).cards(source=run.source.name, as_of=run.as_of)
    chosen = [card for card in cards if card.model_version in served]
    return sorted(chosen, key=lambda card: (card.model, card.horizon_days))


def _named(card: ModelCard) -> dict[str, Any]:
    return {"model": card.model, "horizon_days": card.horizon_days, "model_version": card.model_version}


def _against_training(run: Run, card: ModelCard) -> dict[str, Any] | None:
    then = card.sample.get("score")
    if not then:
        return None
    score = SCORES[card.model]
    joined = (
        f"(select scores.customer_id, scores.{score}, features.recency_days from {LEDGER[card.model]} as scores "
        "inner join ml.customer_features as features on scores.customer_id = features.customer_id "
        f"where scores.model_version = '{card.model_version}')"
    )
    now = _watched(run, joined, [score])[score]
    return _indices("training", card.sample["date"], moved(then, now), now.len())


def _against_first_batch(run: Run, card: ModelCard, as_of: date) -> dict[str, Any]:
    history = History(run.settings.history_dir, source=run.source.name)
    score, subject = SCORES[card.model], f"scores/{card.model}"
    now = run.warehouse.read(
        f"select {score} from {LEDGER[card.model]} where model_version = '{card.model_version}' order by 1"
    )
    batches = (
        (day, history.read(subject, day).filter(pl.col("model_version") == card.model_version))
        for day in history.days(subject)
        if day < as_of
    )
    day, batch = next(((day, batch) for day, batch in batches if batch.height), (as_of, None))
    first = now if batch is None else consent.of_permitted(run, batch, purpose="profiling")
    pair = [batch[score].to_numpy() for batch in (first, now)]
    indices = population_stability_index(*pair), kolmogorov_smirnov(*pair)
    return _indices("first_batch", day.isoformat(), indices, now.height)


def _indices(reference: str, day: str, indices: tuple[float, float], customers: int) -> dict[str, Any]:
    psi, ks = (round(index, 9) for index in indices)
    named = {"reference": reference, "reference_date": date.fromisoformat(day)}
    return named | {"drift": psi, "ks": ks, "customer_count": customers}


def _watched(run: Run, relation: str, columns: list[str]) -> pl.DataFrame:
    """Columns of the customers who bought lately, of at most as many as models are fitted on."""
    frames = consent.map_customers(
        run,
        relation,
        lambda bucket: bucket,
        purpose="profiling",
        columns=columns,
        where=watched_customers(run),
        at_most=run.source.models.maximum_customers,
    )
    return pl.concat(frames)


def _frame(rows: list[dict[str, Any]], schema: Schema) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _written(run: Run, key: str, frame: pl.DataFrame, schema: Schema, **shown: Any) -> dg.MaterializeResult[None]:
    rows = run.warehouse.write(key, conform(frame.with_columns(pl.col(pl.Float64).fill_nan(None)), schema))
    metadata: dict[str, Any] = {"dagster/row_count": rows}
    return dg.MaterializeResult(metadata=metadata | shown)


ASSETS = [model_drift, feature_drift, model_warnings]
