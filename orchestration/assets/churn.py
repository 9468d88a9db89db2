"""Churn: the model that earned its place, the scores of eligible customers, and the reasons for them.

Where there are contracts it is about their end, else about purchases: the data decides, and the model's card says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl

from ml.backtest import Cutoffs
from ml.contracts import build_contract_features
from ml.schemas import CHURN_REASONS, CHURN_SCORES, CUSTOMER_FEATURES, conform, empty
from orchestration.dbt.assets import OWNERS
from orchestration.models import contracts, evidence, training, watch
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.storage.model_files import ModelCard
from orchestration.ui import plots
from orchestration.ui.metadata import picture

CONTRACTS = [["marts", name] for name in ("fct_subscriptions", "dim_customers", "dim_customer_permissions")]
EXACT_SHARE = 0.1  # of customers, the riskiest, whose reasons are always exact


@dg.asset(
    key=["ml", "churn_model"],
    deps=[["marts", "fct_transactions"], *CONTRACTS, ["marts", "dim_as_of"]],
    group_name="churn",
    kinds={"scikitlearn"},
    owners=OWNERS,
    description="One model: purchase model, logistic regressions, boosting and their blend, tested on up to three past "
    "cut-offs beside recency, frequency, own rhythm and base rate; about contracts a survival model instead of the "
    "purchase model, and tenure, monthly amount and plan as rules. Trained when due or asked for; otherwise the one on "
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
    deps=[["ml", "customer_features"], *CONTRACTS, ["ml", "churn_model"]],
    group_name="churn",
    kinds={"scikitlearn", "duckdb"},
    owners=OWNERS,
    description="One row per eligible customer: the probability of no purchase in the horizon, or with contracts that "
    "of the end of the last one, and what served it.",
)
def churn_scores(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Score with the model on file, bucket by bucket; nothing is fitted here."""
    from ml.churn.scoring import score

    card, model = _served(run)
    is_stale, risk_bands = watch.is_stale(run, card), run.source.models.churn.risk_bands

    def scored(features: pl.DataFrame) -> pl.DataFrame:
        return score(
            features,
            model,
            horizon_days=card.horizon_days,
            served_by=card.served_by,
            model_version=card.model_version,
            risk_bands=risk_bands,
            is_stale=is_stale,
        )

    frames = _map_eligible(run, scored)
    rows = run.warehouse.write("ml.churn_scores", [empty(CHURN_SCORES), *frames])
    bands = run.warehouse.read("select risk_band, count(*) as customers from ml.churn_scores group by 1 order by 1")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "served_by": card.served_by,
            **{f"{band}_risk_customer_count": count for band, count in bands.iter_rows()},
        }
    )


@dg.asset(
    key=["ml", "churn_reasons"],
    deps=[["ml", "customer_features"], *CONTRACTS, ["ml", "churn_model"], ["ml", "churn_scores"]],
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
    frames = _map_eligible(run, lambda features: explain(features, model, exact_from=exact_from))
    rows = run.warehouse.write("ml.churn_reasons", [empty(CHURN_REASONS), *frames])
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


def _question(run: Run) -> training.Question:
    config = run.source.models.churn
    question = training.Question(
        model="churn",
        horizon_days=config.horizon_days,
        config=config.model_dump(mode="json") | training.shared_config(run),
        minimum_history_days=config.minimum_history_days,
        maximum_training_cutoffs=config.maximum_training_cutoffs,
        maximum_customers=run.source.models.maximum_customers,
    )
    if not contracts.are_known(run):
        return question
    first_date = contracts.FIRST_DATE.format(horizon_days=config.horizon_days)
    return replace(question, config=question.config | {"contracts": True}, first_date=first_date)


def _train(run: Run, *, cutoffs: Cutoffs | None, as_of: date, champion: str | None) -> ModelCard:
    from ml.churn.contracts import CONTRACTS as ABOUT_CONTRACTS
    from ml.churn.early_warning import watch_days
    from ml.churn.purchases import PURCHASES
    from ml.churn.training import Minimums, Question, train

    config, question = run.source.models.churn, _question(run)
    is_about_contracts = "contracts" in question.config
    asked = Question(
        as_of=as_of,
        horizon_days=config.horizon_days,
        active_window_days=config.active_window_days,
        seed=run.source.models.seed,
        minimums=Minimums(customers=config.minimum_customers, outcomes=config.minimum_outcomes),
        champion=champion,
        alert_from=config.risk_bands[1],
        kind=ABOUT_CONTRACTS if is_about_contracts else PURCHASES,
    )
    extra = []
    if cutoffs is not None:
        extra = [cutoffs.tests[0].day - timedelta(days=1)]
        if not is_about_contracts:
            extra += watch_days(cutoffs.tests[-1], as_of=as_of, horizon_days=config.horizon_days)
    build = contracts.snapshots if is_about_contracts else training.snapshots
    snapshots = build(run, question, cutoffs, as_of=as_of, extra=extra)
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


def _map_eligible(run: Run, function: Callable[[pl.DataFrame], pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Apply a function to the features of eligible customers: with a running contract, or having bought lately."""
    if contracts.are_known(run):
        as_of = run.as_of
        return contracts.map_contracts(
            run, lambda rows, attributes: function(build_contract_features(rows, attributes, as_of=as_of))
        )
    return consent.map_customers(
        run,
        "ml.customer_features",
        lambda features: function(conform(features, CUSTOMER_FEATURES)),
        purpose="profiling",
        where=f"recency_days < {run.source.models.churn.active_window_days}",
    )


ASSETS = [churn_model, churn_scores, churn_reasons]
