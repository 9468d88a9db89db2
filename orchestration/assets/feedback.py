"""Feedback: the language of each message, what it is about, and, where a language is supported, its sentiment.

Texts are read from the vault and stay there; tables hold what `ml.feedback` says of them.
"""

from collections.abc import Callable, Iterable
from functools import partial

import dagster as dg
import polars as pl

from ml.feedback_schemas import (
    FEEDBACK_ASPECTS,
    FEEDBACK_DRIVERS,
    FEEDBACK_LANGUAGES,
    FEEDBACK_MESSAGES,
    FEEDBACK_SCORES,
)
from ml.schemas import Schema, conform, empty
from orchestration.dbt.assets import OWNERS
from orchestration.models import sentiment, watch
from orchestration.privacy import texts
from orchestration.runs.run import Run

asset = partial(dg.asset, group_name="feedback", kinds={"polars", "duckdb"}, owners=OWNERS)
MARTS = [["marts", name] for name in ("fct_feedback", "dim_customer_permissions", "dim_as_of")]


@asset(
    key=["ml", "feedback_messages"],
    deps=MARTS,
    description="One row per message of a known customer with a text: its language and length.",
)
def feedback_messages(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Say of every text in which language it is."""
    run.warehouse.write("ml.feedback_messages", empty(FEEDBACK_MESSAGES))
    among = run.source.models.feedback.languages

    def told(messages: pl.DataFrame) -> pl.DataFrame:
        from ml.feedback.languages import describe

        return describe(messages, among=among)

    written = _written(run, "ml.feedback_messages", FEEDBACK_MESSAGES, _of_messages(run, told))
    found = run.warehouse.read("select language, count(*) from ml.feedback_messages group by 1 order by 2 desc, 1")
    shown = {f"{language}_message_count": count for language, count in found.head(10).iter_rows()}
    return written._replace(metadata={**(written.metadata or {}), **shown})


@asset(
    key=["ml", "feedback_aspects"],
    deps=[["ml", "feedback_messages"]],
    description="One row per message x aspect (price, quality, delivery, ...) that it is about.",
)
def feedback_aspects(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Look for the words of every aspect."""
    declared = run.source.models.feedback.aspects

    def told(messages: pl.DataFrame) -> pl.DataFrame:
        from ml.feedback.aspects import find_aspects

        return find_aspects(messages, declared=declared)

    return _written(run, "ml.feedback_aspects", FEEDBACK_ASPECTS, _of_messages(run, told))


@asset(
    key=["ml", "feedback_model"],
    deps=[["ml", "feedback_messages"]],
    kinds={"scikitlearn"},
    description="One model per language with enough rated messages: words with and without pieces of words, tested on "
    "the last tenths of the messages beside a lexicon and the base rate. Trained when due or asked for; otherwise the "
    "one on file stays.",
)
def feedback_model(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Hold the contest of every language that is due, and keep who serves or that nothing may."""
    return dg.MaterializeResult(metadata=sentiment.train_languages(run))


@asset(
    key=["ml", "feedback_scores"],
    deps=[["ml", "feedback_messages"], ["ml", "feedback_model"]],
    kinds={"scikitlearn", "duckdb"},
    description="One row per message in a supported language: the probability that its writer is satisfied.",
)
def feedback_scores(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Score with the models on file, block by block; nothing is fitted here."""
    served = sentiment.served(run)
    stale = {card.model: watch.is_stale(run, card) for card, _ in served.values()}

    def told(messages: pl.DataFrame) -> pl.DataFrame:
        from ml.feedback.scoring import score

        (language,) = messages["language"].unique()
        card, model = served[language]
        return score(
            messages,
            model,
            served_by=card.served_by,
            model_version=card.model_version,
            is_stale=stale[card.model],
        )

    frames = (frame for language in served for frame in _of_messages(run, told, where=f"known.language = '{language}'"))
    return _written(run, "ml.feedback_scores", FEEDBACK_SCORES, frames)


@asset(
    key=["ml", "feedback_languages"],
    deps=[["ml", "feedback_messages"], ["ml", "feedback_model"]],
    description="One row per language that at least 11 customers write in: how well its sentiment is told, on what "
    "that was measured, and whether it is supported.",
)
def feedback_languages(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Bring the verdict on every language into a table."""
    return _written(run, "ml.feedback_languages", FEEDBACK_LANGUAGES, [sentiment.verdicts(run)])


@asset(
    key=["ml", "feedback_drivers"],
    deps=[["ml", "feedback_scores"], ["ml", "feedback_aspects"]],
    description="One row per language x kind x direction x rank: words and aspects that go with high and low ratings.",
)
def feedback_drivers(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Name what at least 11 customers said, from the weights of the model that serves."""
    from ml.feedback.drivers import find_drivers

    frames = []
    aspects = run.warehouse.read("from ml.feedback_aspects order by all")
    for language, (_, model) in sorted(sentiment.served(run).items()):
        rated = sentiment.rated(run, language)
        frames.append(find_drivers(rated.with_columns(as_of_date=pl.lit(run.as_of)), aspects, model))
    return _written(run, "ml.feedback_drivers", FEEDBACK_DRIVERS, frames)


def _of_messages(
    run: Run, function: Callable[[pl.DataFrame], pl.DataFrame], *, where: str = "true"
) -> Iterable[pl.DataFrame]:
    as_of = run.as_of
    for messages in texts.read_messages(run, where=where):
        if messages.height:
            yield function(messages.with_columns(as_of_date=pl.lit(as_of)))


def _written(run: Run, key: str, schema: Schema, frames: Iterable[pl.DataFrame]) -> dg.MaterializeResult[None]:
    rows = run.warehouse.write(key, [empty(schema), *(conform(frame, schema) for frame in frames)])
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


ASSETS = [
    feedback_messages,
    feedback_aspects,
    feedback_model,
    feedback_scores,
    feedback_languages,
    feedback_drivers,
]
