"""Customer lifetime value: a model for each horizon, and what every customer is expected to bring."""

from datetime import date
from functools import partial
from typing import Any

import dagster as dg
import polars as pl

from ml.backtest import Cutoffs
from ml.schemas import CLV_PREDICTIONS, CUSTOMER_FEATURES, conform, empty
from orchestration.dbt.assets import OWNERS
from orchestration.models import evidence, training, watch
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.storage.model_files import ModelCard


@dg.asset(
    key=["ml", "clv_model"],
    deps=[["marts", name] for name in ("fct_transactions", "dim_as_of", "dim_customers", "dim_customer_permissions")],
    group_name="clv",
    kinds={"scikitlearn"},
    owners=OWNERS,
    description="One model per horizon: purchase models and learned ones, tested on up to three past cut-offs beside "
    "spend so far, spend per day, order value times rate and the last period. Trained when due or asked for; otherwise "
    "the one on file stays.",
)
def clv_model(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Hold the contest for every horizon that is due and keep who serves."""
    shown: dict[str, Any] = {}
    questions = _questions(run)
    for question in questions:
        card, is_new = training.train_if_due(run, question, partial(_train, run, question))
        prefix = f"{question.horizon_days}_days_" if len(questions) > 1 else ""
        shown |= {prefix + name: value for name, value in training.metadata(card, is_new=is_new).items()}
    return dg.MaterializeResult(metadata=shown)


@dg.asset(
    key=["ml", "clv_predictions"],
    deps=[["ml", "customer_features"], ["ml", "clv_model"]],
    group_name="clv",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per customer x horizon: expected purchases and value, with an 80 % interval.",
)
def clv_predictions(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Predict with the models on file, bucket by bucket; nothing is fitted here."""
    from ml.clv.leveling import TRUSTED_TYPES
    from ml.clv.scoring import score

    loaded = [training.load(run, question, trusted=TRUSTED_TYPES) for question in _questions(run)]
    served = [(card, model, watch.is_stale(run, card)) for card, model in loaded]

    def predicted(features: pl.DataFrame) -> pl.DataFrame:
        features = conform(features, CUSTOMER_FEATURES)
        return pl.concat(
            score(
                features,
                model,
                horizon_days=card.horizon_days,
                served_by=card.served_by,
                model_version=card.model_version,
                is_stale=is_stale,
            )
            for card, model, is_stale in served
        )

    frames = consent.map_customers(run, "ml.customer_features", predicted, purpose="profiling")
    rows = run.warehouse.write("ml.clv_predictions", [empty(CLV_PREDICTIONS), *frames])
    totals = run.warehouse.read(
        "select horizon_days, sum(expected_amount) as amount from ml.clv_predictions group by 1 order by 1"
    )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            **{f"expected_amount_{days}_days": float(amount) for days, amount in totals.iter_rows()},
        }
    )


def _questions(run: Run) -> list[training.Question]:
    config = run.source.models.clv
    basis = run.warehouse.read("select value_basis from marts.dim_as_of").item()
    return [
        training.Question(
            model="clv",
            horizon_days=days,
            config=config.model_dump(mode="json", exclude={"horizons_days"})
            | training.shared_config(run)
            | {"value_basis": basis},
            minimum_history_days=config.minimum_history_days,
            maximum_training_cutoffs=config.maximum_training_cutoffs,
            maximum_customers=run.source.models.maximum_customers,
        )
        for days in config.horizons_days
    ]


def _train(
    run: Run, question: training.Question, *, cutoffs: Cutoffs | None, as_of: date, champion: str | None
) -> ModelCard:
    from ml.clv.training import Minimums, Question, train

    config = run.source.models.clv
    asked = Question(
        as_of=as_of,
        horizon_days=question.horizon_days,
        seed=run.source.models.seed,
        minimums=Minimums(
            customers=config.minimum_customers,
            repeat_customers=config.minimum_outcomes,
            future_buyers=config.minimum_outcomes,
        ),
        champion=champion,
    )
    snapshots = training.snapshots(run, question, cutoffs, as_of=as_of)
    trained = train(snapshots, asked, cutoffs=cutoffs)
    found = evidence.gather(
        run,
        evidence.Trial(question.model, as_of, question.horizon_days, snapshots, trained.tested),
        score=lambda sample: trained.serving.predict(sample, horizon_days=question.horizon_days)["expected_amount"],
    )
    return training.keep(run, question, trained, as_of=as_of, evidence=found)


ASSETS = [clv_model, clv_predictions]
