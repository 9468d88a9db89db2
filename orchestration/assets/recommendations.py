"""Next product: the ranking that earned its place, and what it recommends to every customer, with a reason."""

from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from ml.action_schemas import PRODUCT_RECOMMENDATIONS
from ml.backtest import Cutoffs
from ml.schemas import empty
from orchestration.dbt.assets import OWNERS
from orchestration.models import items, training, watch
from orchestration.models.evidence import Evidence
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.storage.model_files import ModelCard

INPUTS = [
    ["marts", name] for name in ("fct_transaction_lines", "dim_products", "dim_customer_permissions", "dim_as_of")
]
NOTHING = "no line that names a customer and an item: quality.capabilities says what is missing"
TESTS = 3


@dg.asset(
    key=["ml", "recommendation_model"],
    deps=INPUTS,
    group_name="recommendations",
    kinds={"scikitlearn"},
    owners=OWNERS,
    description="One model: co-purchase, factorisation and a learned ranking, tested on up to three past cut-offs "
    "beside popularity and buy-again. Trained when due or asked for; otherwise the one on file stays.",
)
def recommendation_model(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Hold the contest if it is due and keep who serves."""
    if not items.are_known(run):
        return dg.MaterializeResult(metadata={"reason": NOTHING})
    card, is_new = training.train_if_due(run, _question(run), lambda **asked: _train(run, **asked))
    return dg.MaterializeResult(metadata=training.metadata(card, is_new=is_new))


@dg.asset(
    key=["ml", "product_recommendations"],
    deps=[*INPUTS, ["marts", "fct_stock_levels"], ["ml", "recommendation_model"]],
    group_name="recommendations",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per customer x rank: the product or category that they are likely to buy next, and why.",
)
def product_recommendations(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Recommend with the model on file, bucket by bucket; nothing is fitted here."""
    frames = _recommended(run) if items.are_known(run) else []
    rows = run.warehouse.write("ml.product_recommendations", [empty(PRODUCT_RECOMMENDATIONS), *frames])
    shares = run.warehouse.read(
        "select count(distinct customer_id) as customers, count(distinct name) as items, "
        "avg(cast(is_repeat as integer)) as repeats from ml.product_recommendations"
    )
    customers, proposed, repeats = shares.row(0)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "customer_count": customers,
            "item_count": proposed,
            "repeat_share": float(repeats or 0),
            **({} if rows else {"reason": NOTHING}),
        }
    )


def _recommended(run: Run) -> Any:
    from ml.recommendations.scoring import TRUSTED_TYPES, recommend
    from ml.recommendations.words import in_words

    card, model = training.load(run, _question(run), trusted=TRUSTED_TYPES)
    as_of, is_stale, length = run.as_of, watch.is_stale(run, card), run.source.models.recommendations.list_length
    on_offer, names = items.offered(run, as_of=as_of), items.names(run)

    def recommended(days: pl.DataFrame) -> pl.DataFrame:
        return in_words(
            recommend(days, model, as_of=as_of, length=length, offered=on_offer),
            names,
            as_of=as_of,
            horizon_days=card.horizon_days,
            candidate=card.candidate,
            served_by=card.served_by,
            model_version=card.model_version,
            is_stale=is_stale,
        )

    return consent.map_customers(
        run, items.purchase_days(run), recommended, purpose="profiling", where=items.since(as_of)
    )


def _question(run: Run) -> training.Question:
    config = run.source.models.recommendations
    served_only = {"list_length", "only_in_stock", "sold_within_days"}  # change what is shown, not what is learned
    return training.Question(
        model="recommendations",
        horizon_days=config.horizon_days,
        config=config.model_dump(mode="json", exclude=served_only) | training.shared_config(run),
        minimum_history_days=config.minimum_history_days,
        maximum_training_cutoffs=0,
        maximum_customers=config.maximum_customers,
    )


def _train(run: Run, *, cutoffs: Cutoffs | None, as_of: date, champion: str | None) -> ModelCard:
    from ml.recommendations.training import Minimums, Question, train

    config, question = run.source.models.recommendations, _question(run)
    asked = Question(
        as_of=as_of,
        horizon_days=config.horizon_days,
        seed=run.source.models.seed,
        repeats=config.repeats,
        pool_size=config.maximum_products,
        minimums=Minimums(customers=config.minimum_customers, items=config.minimum_items),
        champion=champion,
    )
    reach = items.since(as_of, extra_days=(TESTS + 1) * config.horizon_days)
    frames = consent.map_customers(
        run,
        items.purchase_days(run),
        lambda bucket: bucket,
        purpose="profiling",
        where=reach,
        at_most=config.maximum_customers,
    )
    days = pl.concat(frames).sort("customer_id", "item", "purchase_date")
    trained = train(days, asked, cutoffs=cutoffs)
    first = days["purchase_date"].min()
    found = Evidence(
        data_window=[first.isoformat(), as_of.isoformat()] if isinstance(first, date) else [],
        counts={"customers": days["customer_id"].n_unique(), "tested_customers": trained.tested.height},
    )
    return training.keep(run, question, trained, as_of=as_of, evidence=found)


ASSETS = [recommendation_model, product_recommendations]
