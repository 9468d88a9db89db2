"""Campaigns: who responds once contacted, who is like a segment, and whom a contact changes where chance decided."""

from datetime import timedelta
from functools import partial
from typing import Any, Final

import dagster as dg
import polars as pl

from ml.campaign_schemas import LOOKALIKES, RESPONSE_PROPENSITIES, UPLIFT_BANDS, UPLIFT_DESIGNS, UPLIFT_SCORES
from ml.schemas import Schema, conform, empty
from orchestration.dbt.assets import OWNERS
from orchestration.models import contacts, lookalikes, response, training, uplift, watch
from orchestration.runs.run import Run

asset = partial(dg.asset, group_name="campaigns", owners=OWNERS)
MARTS: Final = ("fct_transactions", "fct_campaign_contacts", "dim_campaigns", "dim_customers")
INPUTS: Final = [["marts", name] for name in (*MARTS, "dim_customer_permissions", "dim_as_of")]
NOBODY: Final = "fewer than 11 people responded to contacts whose day is known and whose window is over"


@asset(
    key=["ml", "response_model"],
    deps=INPUTS,
    kinds={"scikitlearn"},
    description="One model: who responds within the window of a contact, tested on later campaigns and on customers "
    "never seen, beside past response rates and RFM. Trained when due or asked for.",
)
def response_model(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Hold the contest if it is due and keep who serves."""
    if not response.is_known(run):
        return dg.MaterializeResult(metadata={"reason": NOBODY})
    card, is_new = training.train_if_due(run, response.question(run), partial(response.train, run))
    return dg.MaterializeResult(metadata=training.metadata(card, is_new=is_new))


@asset(
    key=["ml", "response_propensities"],
    deps=[*INPUTS, ["ml", "response_model"]],
    kinds={"polars", "duckdb"},
    description="One row per customer x kind of campaign: how likely they are to respond once contacted. No effect.",
)
def response_propensities(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Score with the model on file, bucket by bucket; nothing is fitted here."""
    if not response.is_known(run):
        return _written(run, "ml.response_propensities", [], RESPONSE_PROPENSITIES, reason=NOBODY)
    card, model = training.load(run, response.question(run), trusted=response.trusted())
    named = {
        "as_of_date": run.as_of,
        "window_days": card.horizon_days,
        "design": "randomised" if contacts.is_randomised(run) else "targeted",
        "served_by": card.served_by,
        "model_version": card.model_version,
        "is_stale": watch.is_stale(run, card),
    }
    scored = partial(
        response.scored,
        model=model,
        kinds=contacts.kinds(run, at_most=response.MOST_KINDS),
        asked_on=run.as_of + timedelta(days=1),
        named=named,
    )
    return _written(run, "ml.response_propensities", contacts.map_parts(run, scored), RESPONSE_PROPENSITIES)


@asset(
    key=["ml", "lookalike_model"],
    deps=[*INPUTS, ["ml", "customer_segments"]],
    kinds={"scikitlearn"},
    description="One model per declared list: who joins its segment, fitted on a past day and tested on a later one "
    "beside who is nearest to it. Trained when due or asked for.",
)
def lookalike_model(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Hold the contest of every list that is due and keep who serves."""
    said: dict[str, Any] = {} if run.source.actions.lookalikes else {"reason": "actions.lookalikes: none is declared"}
    for name, one in run.source.actions.lookalikes.items():
        if reason := lookalikes.lack(run, one):
            said[name] = reason
            continue
        question = lookalikes.question(run, name, one)
        card, _ = training.train_if_due(run, question, partial(_train_list, run, name))
        said[name] = f"{card.served_by} {card.candidate}: {card.reason}"
    return dg.MaterializeResult(metadata=said)


def _train_list(run: Run, name: str, *, champion: str | None, **_: Any) -> Any:
    return lookalikes.train(run, name, run.source.actions.lookalikes[name], champion=champion)


@asset(
    key=["ml", "lookalikes"],
    deps=[*INPUTS, ["ml", "lookalike_model"], ["ml", "customer_features"], ["ml", "customer_segments"]],
    kinds={"polars", "duckdb"},
    description="One row per declared list x customer: who is not in a segment and likeliest to join it.",
)
def lookalike_lists(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Score with the models on file, and keep the first of each list."""
    from ml.campaigns.lookalikes import TRUSTED_TYPES

    frames = []
    for name, one in run.source.actions.lookalikes.items():
        if lookalikes.lack(run, one):
            continue
        card, model = training.load(run, lookalikes.question(run, name, one), trusted=TRUSTED_TYPES)
        likely = pl.concat(lookalikes.candidates(run, one, model))
        first = likely.sort("joining_probability", "customer_id", descending=[True, False]).head(one.size)
        frames.append(
            first.with_columns(
                as_of_date=pl.lit(run.as_of),
                list_name=pl.lit(name),
                rank=pl.int_range(1, pl.len() + 1),
                strategy=pl.lit(one.strategy),
                segment=pl.lit(one.segment),
                **_served(run, card),
            )
        )
    return _written(run, "ml.lookalikes", frames, LOOKALIKES)


@asset(
    key=["ml", "uplift_designs"],
    deps=[*INPUTS, ["marts", "fct_interactions"], ["ml", "experiment_assignments"]],
    kinds={"scikitlearn", "duckdb"},
    description="One row per experiment x arm x metric: whether uplift is learned from it, or why it is refused. Its "
    "model is trained when due or asked for.",
)
def uplift_designs(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Hold every draw against the data, and train what may be learned from it."""
    rows, said = [], {}
    for target in uplift.targets(run):
        row, _ = uplift.judged(run, target)
        rows.append(row)
        said[target.model] = f"{row['status']}: {row['reason']}"
    frame = pl.DataFrame([dict.fromkeys(UPLIFT_DESIGNS) | row for row in rows], schema=UPLIFT_DESIGNS)
    if not rows:
        said["reason"] = "experiments: none is declared, so nobody was chosen at random and no uplift is learned"
    return _written(run, "ml.uplift_designs", [frame], UPLIFT_DESIGNS, **said)


@asset(
    key=["ml", "uplift_bands"],
    deps=[["ml", "uplift_designs"]],
    kinds={"polars", "duckdb"},
    description="One row per experiment x arm x metric x band of predicted uplift: what chance shows the contact to "
    "change there, among customers whom no fit had seen.",
)
def uplift_bands(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Bring what the trainings found into a table."""
    frames = [
        pl.DataFrame(card.quality["bands"]).with_columns(
            as_of_date=pl.lit(run.as_of), model_version=pl.lit(card.model_version), **_literals(target.named)
        )
        for target, card in uplift.served(run)
    ]
    return _written(run, "ml.uplift_bands", frames, UPLIFT_BANDS)


@asset(
    key=["ml", "uplift_scores"],
    deps=[*INPUTS, ["ml", "uplift_designs"]],
    kinds={"polars", "duckdb"},
    description="One row per experiment x arm x metric x customer: what the arm would change of them, were they "
    "contacted now.",
)
def uplift_scores(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Score every customer with the models on file."""
    from ml.campaigns.uplift import TRUSTED_TYPES

    frames: list[pl.DataFrame] = []
    for target, card in uplift.served(run):
        named = {"as_of_date": run.as_of, **target.named, "candidate": card.candidate, **_words(run, card)}
        scored = partial(
            uplift.scored,
            model=training.files(run).load(card, trusted=TRUSTED_TYPES),
            bands=pl.DataFrame(card.quality["bands"]),
            asked_on=run.as_of + timedelta(days=1),
            named=named,
        )
        frames += contacts.map_parts(run, scored)
    return _written(run, "ml.uplift_scores", frames, UPLIFT_SCORES)


def _words(run: Run, card: Any) -> dict[str, Any]:
    return {"served_by": card.served_by, "model_version": card.model_version, "is_stale": watch.is_stale(run, card)}


def _served(run: Run, card: Any) -> dict[str, pl.Expr]:
    return _literals(_words(run, card) | {"horizon_days": card.horizon_days})


def _literals(values: dict[str, Any]) -> dict[str, pl.Expr]:
    return {name: pl.lit(value) for name, value in values.items()}


def _written(run: Run, key: str, frames: Any, schema: Schema, **said: Any) -> dg.MaterializeResult[None]:
    conformed = (conform(frame, schema) for frame in frames)
    rows = run.warehouse.write(key, [empty(schema), *conformed])
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, **said})


ASSETS = [
    response_model,
    response_propensities,
    lookalike_model,
    lookalike_lists,
    uplift_designs,
    uplift_bands,
    uplift_scores,
]
