"""Churn: the model that earned its place, the scores of eligible customers, and the reasons for them."""

from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl

from ml.backtest import Cutoffs
from ml.schemas import CHURN_REASONS, CHURN_SCORES, CUSTOMER_FEATURES, conform, empty
from orchestration import evidence, plots, training, watch
from orchestration.dbt import OWNERS
from orchestration.metadata import column_schema, picture
from orchestration.model_files import ModelCard
from orchestration.run import Run

EXACT_SHARE = 0.1  # of customers, the riskiest, whose reasons are always exact


@dg.asset(
    key=["ml", "churn_model"],
    deps=[["marts", "fct_transactions"], ["marts", "dim_as_of"], ["marts", "dim_customers"]],
    group_name="churn",
    kinds={"scikitlearn"},
    owners=OWNERS,
    description="One model: purchase model, logistic regressions, boosting and their blend, tested on up to three past "
    "cut-offs beside recency, frequency, own rhythm and base rate. Trained when due or asked for; otherwise the one on "
    "file stays.",
)
def churn_model(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Hold the contest if it is due and keep who serves."""
    card, is_new = training.train_if_due(run, _question(run), lambda **asked: _train(run, **asked))
    points = pl.DataFrame(card.calibration_points)
    drawn: dict[str, Any] = {}
    if not points.is_empty():
        cutoff = max(date.fromisoformat(str(row["cutoff_date"])) for row in card.evaluations)
        figure = plots.calibration(points, served=card.candidate, cutoff=cutoff, horizon_days=card.horizon_days)
        drawn["calibration_plot"] = picture(figure, title="Predicted against observed churn")
    return dg.MaterializeResult(metadata=training.metadata(card, is_new=is_new) | drawn)


@dg.asset(
    key=["ml", "churn_scores"],
    deps=[["ml", "customer_features"], ["ml", "churn_model"]],
    group_name="churn",
    kinds={"scikitlearn", "duckdb"},
    owners=OWNERS,
    description="One row per eligible customer: the probability of no purchase in the horizon, and what served it.",
)
def churn_scores(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Score with the model on file, bucket by bucket; nothing is fitted here."""
    from ml.churn.scoring import score

    card, model = _served(run)
    is_stale = watch.is_stale(run, card)

    def scored(features: pl.DataFrame) -> pl.DataFrame:
        return score(
            conform(features, CUSTOMER_FEATURES),
            model,
            horizon_days=card.horizon_days,
            served_by=card.served_by,
            model_version=card.model_version,
            risk_bands=run.source.models.churn.risk_bands,
            is_stale=is_stale,
        )

    frames = run.warehouse.map_customers("ml.customer_features", scored, where=_eligible(run))
    rows = run.warehouse.write("ml.churn_scores", [empty(CHURN_SCORES), *frames])
    bands = run.warehouse.read("select risk_band, count(*) as customers from ml.churn_scores group by 1 order by 1")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "dagster/column_schema": column_schema(CHURN_SCORES),
            "served_by": card.served_by,
            **{f"{band}_risk_customer_count": count for band, count in bands.iter_rows()},
        }
    )


@dg.asset(
    key=["ml", "churn_reasons"],
    deps=[["ml", "customer_features"], ["ml", "churn_model"], ["ml", "churn_scores"]],
    group_name="churn",
    kinds={"scikitlearn", "duckdb"},
    owners=OWNERS,
    description="One row per customer x rank: the features that moved the churn score most, either way.",
)
def churn_reasons(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Explain every score; where that takes long, exactly for the riskiest tenth."""
    from ml.churn.reasons import explain

    _, model = _served(run)
    riskiest = run.warehouse.read(f"select quantile_disc(churn_probability, {1 - EXACT_SHARE}) from ml.churn_scores")
    exact_from = riskiest.item() or 0.0
    frames = run.warehouse.map_customers(
        "ml.customer_features",
        lambda features: explain(conform(features, CUSTOMER_FEATURES), model, exact_from=exact_from),
        where=_eligible(run),
    )
    rows = run.warehouse.write("ml.churn_reasons", [empty(CHURN_REASONS), *frames])
    return dg.MaterializeResult(
        metadata={"dagster/row_count": rows, "dagster/column_schema": column_schema(CHURN_REASONS)}
    )


def _question(run: Run) -> training.Question:
    config = run.source.models.churn
    return training.Question(
        model="churn",
        horizon_days=config.horizon_days,
        config=config.model_dump(mode="json") | training.shared_config(run),
        minimum_history_days=config.minimum_history_days,
        maximum_training_cutoffs=config.maximum_training_cutoffs,
        maximum_customers=run.source.models.maximum_customers,
    )


def _train(run: Run, *, cutoffs: Cutoffs | None, as_of: date, champion: str | None) -> ModelCard:
    from ml.churn.early_warning import watch_days
    from ml.churn.training import Minimums, Question, train

    config, question = run.source.models.churn, _question(run)
    asked = Question(
        as_of=as_of,
        horizon_days=config.horizon_days,
        active_window_days=config.active_window_days,
        seed=run.source.models.seed,
        minimums=Minimums(customers=config.minimum_customers, outcomes=config.minimum_outcomes),
        champion=champion,
        alert_from=config.risk_bands[1],
    )
    extra = []
    if cutoffs is not None:
        days = watch_days(cutoffs.tests[-1], as_of=as_of, horizon_days=config.horizon_days)
        extra = [*days, cutoffs.tests[0].day - timedelta(days=1)]
    snapshots = training.snapshots(run, question, cutoffs, as_of=as_of, extra=extra)
    trained = train(snapshots, asked, cutoffs=cutoffs)
    found = evidence.gather(
        run,
        evidence.Trial(question.model, as_of, question.horizon_days, snapshots, trained.tested),
        score=lambda sample: pl.Series(trained.serving.churn_probability(sample)),
    )
    return training.keep(
        run, question, trained, as_of=as_of, evidence=found, calibration_points=trained.calibration_points
    )


def _served(run: Run) -> tuple[ModelCard, Any]:
    from ml.churn.calibration import TRUSTED_TYPES

    return training.load(run, _question(run), trusted=TRUSTED_TYPES)


def _eligible(run: Run) -> str:
    return f"recency_days < {run.source.models.churn.active_window_days}"


ASSETS = [churn_model, churn_scores, churn_reasons]
