"""The evidence: every training with its verdict and its numbers, and published scores graded by what happened."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl

from ml.contracts import label_contract_ends
from ml.labels import label_outcomes
from ml.outcomes import grade
from ml.schemas import (
    MODEL_COMPARISONS,
    MODEL_EVALUATIONS,
    MODEL_FAIRNESS,
    MODEL_VERSIONS,
    SCORE_OUTCOMES,
    Schema,
    conform,
    empty,
)
from orchestration.dbt.assets import OWNERS
from orchestration.errors import ClienteleError
from orchestration.models import contracts, training
from orchestration.models.mlflow_mirror import mirror
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.storage.history import LEDGER, History
from orchestration.storage.model_files import (
    ModelCard,
    comparisons_frame,
    evaluations_frame,
    fairness_frame,
    versions_frame,
)
from orchestration.ui import plots
from orchestration.ui.metadata import picture

MODELS = [["ml", name] for name in ("churn_model", "clv_model", "recommendation_model", "feedback_model")]


@dg.asset(
    key=["ml", "model_versions"],
    deps=MODELS,
    group_name="models",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row per candidate of a training that serves or was refused, with the reason in a sentence.",
)
def model_versions(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Bring the cards of the kept trainings into a table, and mirror them where an MLflow store is named."""
    cards = training.files(run).cards(source=run.source.name, as_of=run.as_of)
    written = _written(run, "ml.model_versions", versions_frame(cards), MODEL_VERSIONS)
    return written._replace(metadata={**(written.metadata or {}), **_mirrored(run, cards)})


@dg.asset(
    key=["ml", "model_evaluations"],
    deps=MODELS,
    group_name="models",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row per model version x candidate x cut-off x metric: models beside the rules, out of time.",
)
def model_evaluations(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Bring the numbers of the kept trainings into a table."""
    cards = training.files(run).cards(source=run.source.name, as_of=run.as_of)
    return _written(run, "ml.model_evaluations", evaluations_frame(cards), MODEL_EVALUATIONS)


@dg.asset(
    key=["ml", "model_comparisons"],
    deps=MODELS,
    group_name="models",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row per model version x candidate x opponent x metric: what the gate decided by, paired.",
)
def model_comparisons(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Bring the gate's comparisons into a table."""
    cards = training.files(run).cards(source=run.source.name, as_of=run.as_of)
    return _written(run, "ml.model_comparisons", comparisons_frame(cards), MODEL_COMPARISONS)


@dg.asset(
    key=["ml", "model_fairness"],
    deps=MODELS,
    group_name="models",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row per model version x attribute x group x metric: how the model does for each declared group.",
)
def model_fairness(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Bring the groups of the kept trainings into a table."""
    cards = training.files(run).cards(source=run.source.name, as_of=run.as_of)
    return _written(run, "ml.model_fairness", fairness_frame(cards), MODEL_FAIRNESS)


@dg.asset(
    key=["ml", "score_outcomes"],
    deps=[
        ["marts", "fct_transactions"],
        ["marts", "fct_subscriptions"],
        ["marts", "dim_customer_permissions"],
        ["marts", "dim_as_of"],
    ],
    group_name="models",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per matured score batch x metric: what was published, graded by what happened since.",
)
def score_outcomes(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Grade every batch of the ledger whose horizon has passed."""
    as_of = run.as_of
    history = History(run.settings.history_dir, source=run.source.name)
    cards = training.files(run).cards(source=run.source.name, as_of=as_of)
    about_contracts = {card.model_version for card in cards if "contracts" in card.config}
    graded = [empty(SCORE_OUTCOMES)]
    for model in LEDGER:
        for scored in history.days(f"scores/{model}"):
            batch = consent.of_permitted(run, history.read(f"scores/{model}", scored), purpose="profiling")
            for horizon in batch["horizon_days"].unique().sort():
                if scored + timedelta(days=horizon) <= as_of:
                    one = batch.filter(pl.col("horizon_days") == horizon)
                    is_about_contracts = one["model_version"].is_in(list(about_contracts)).all()
                    outcomes = (_ends if is_about_contracts else _outcomes)(run, scored, horizon)
                    graded.append(grade(model, one, outcomes, horizon_days=horizon))
    grades = pl.concat(graded)
    written = _written(run, "ml.score_outcomes", grades, SCORE_OUTCOMES)
    return written._replace(metadata={**(written.metadata or {}), **_drawn(run, grades)})


def _mirrored(run: Run, cards: Sequence[ModelCard]) -> dict[str, Any]:
    """What became of the mirror; a store that is away fails no run."""
    uri = run.settings.mlflow_uri
    if uri is None:
        return {}
    try:
        return {"mlflow": ", ".join(mirror(cards, uri)) or "up to date"}
    except ClienteleError as error:
        dg.get_dagster_logger().warning(str(error))
        return {"mlflow": str(error)}


def _outcomes(run: Run, scored: date, horizon_days: int) -> pl.DataFrame:
    return pl.concat(
        consent.map_transactions(
            run,
            lambda bucket: label_outcomes(bucket, as_of=scored, horizon_days=horizon_days),
            purpose="profiling",
        )
    )


def _ends(run: Run, scored: date, horizon_days: int) -> pl.DataFrame:
    return pl.concat(
        contracts.map_contracts(run, lambda rows, _: label_contract_ends(rows, as_of=scored, horizon_days=horizon_days))
    )


def _drawn(run: Run, grades: pl.DataFrame) -> dict[str, Any]:
    """The rank of every matured batch over time, beside what the test of its version had found."""
    cards = training.files(run).cards(source=run.source.name, as_of=run.as_of)
    found = evaluations_frame(cards).sort("cutoff_date").group_by("model_version", "candidate", "metric").last()
    served = pl.DataFrame(
        {"model_version": [card.model_version for card in cards], "candidate": [card.candidate for card in cards]},
        schema={"model_version": pl.String, "candidate": pl.String},
    )
    tested = found.join(served, on=["model_version", "candidate"]).select("model_version", "metric", tested="value")
    ranked = (
        grades.filter(pl.col("metric").is_in(list(plots.RANK_NAMES)), pl.col("value").is_not_null())
        .join(tested, on=["model_version", "metric"], how="left")
        .sort("model", "horizon_days", "scored_as_of_date")
    )
    title = "How well published scores ranked customers, by the day of the scores"
    return {} if ranked.is_empty() else {"outcomes_plot": picture(plots.outcomes(ranked), title=title)}


def _written(run: Run, key: str, frame: pl.DataFrame, schema: Schema) -> dg.MaterializeResult[None]:
    rows = run.warehouse.write(key, conform(frame, schema))
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


ASSETS = [model_versions, model_evaluations, model_comparisons, model_fairness, score_outcomes]
