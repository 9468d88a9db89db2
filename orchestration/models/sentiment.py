"""The models of feedback, one a language: is each due, what is kept of its contest, and which of them may serve.

The contest is `ml.feedback.training`'s; files and cards are as those of any other model.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from ml.feedback_schemas import FEEDBACK_LANGUAGES
from ml.schemas import conform, empty
from orchestration.models import training
from orchestration.models.evidence import Evidence
from orchestration.privacy import texts
from orchestration.runs.run import Run
from orchestration.storage.model_files import ModelCard

if TYPE_CHECKING:  # scikit-learn, which only training and scoring need
    from ml.feedback.training import Question

FEW: Final = "other languages"
SMALLEST_GROUP: Final = 11
RATED: Final = "feedback.is_satisfied is not null and feedback.feedback_date is not null"


def rated(run: Run, language: str, *, at_most: int | None = None) -> pl.DataFrame:
    """The rated and dated messages of a language: of more than `at_most` the newest."""
    found = texts.all_messages(run, where=f"known.language = '{language}' and {RATED}")
    if at_most is not None and found.height > at_most:
        found = found.sort("feedback_date", "feedback_id").tail(at_most)
    return found.sort("feedback_id")


def train_languages(run: Run) -> dict[str, Any]:
    """Train every language that is due and has enough; gives what the UI shows of each."""
    shown: dict[str, Any] = {}
    for language in _languages(run):
        messages = partial(rated, run, language, at_most=run.source.models.maximum_customers)
        card = _card(run, language)
        if training.is_due(run, card, as_of=run.as_of):
            card = _train(run, language, messages(), champion=_champion(card))
        if card is not None:
            told = training.metadata(card, is_new=card.as_of_date == run.as_of)
            shown |= {f"{language}_{name}": value for name, value in told.items()}
    return shown


def served(run: Run) -> dict[str, tuple[ModelCard, Any]]:
    """Card and fitted estimator by supported language."""
    from ml.feedback.sentiment import TRUSTED_TYPES

    cards = {language: _card(run, language) for language in _languages(run)}
    return {
        language: (card, training.files(run).load(card, trusted=TRUSTED_TYPES))
        for language, card in cards.items()
        if card is not None and card.quality["is_supported"]
    }


def verdicts(run: Run) -> pl.DataFrame:
    """FEEDBACK_LANGUAGES: languages of fewer than 11 customers are one row, or none where they are fewer together."""
    found = run.warehouse.read(
        f"""
        with sized as (select language, count(distinct customer_id) as customers from ml.feedback_messages group by 1)
        select case when customers < {SMALLEST_GROUP} then '{FEW}' else language end as language,
            count(*) as message_count, count(distinct customer_id) as customer_count
        from ml.feedback_messages inner join sized using (language)
        group by 1 having count(distinct customer_id) >= {SMALLEST_GROUP} order by 1
        """
    )
    if found.is_empty():
        return empty(FEEDBACK_LANGUAGES)
    rows = [{"as_of_date": run.as_of, **row, **_verdict(run, row["language"])} for row in found.iter_rows(named=True)]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    missing = [pl.lit(None).alias(name) for name in FEEDBACK_LANGUAGES if name not in frame.columns]
    days = [pl.col(name).cast(pl.String).str.to_date() for name in ("tested_from_date", "tested_to_date")]
    numbers = pl.col(pl.Float64).fill_nan(None).round(9)
    return conform(frame.with_columns(missing).with_columns(days).with_columns(numbers), FEEDBACK_LANGUAGES)


def _verdict(run: Run, language: str) -> dict[str, Any]:
    card = _card(run, language)
    if card is not None:
        named = ("served_by", "candidate", "model_version")
        serves = {name: getattr(card, name) for name in named} if card.quality["is_supported"] else {}
        return card.quality | serves
    if language == FEW:
        return {"is_supported": False, "reason": f"each is written by fewer than {SMALLEST_GROUP} customers"}
    if language == "unknown":
        return {"is_supported": False, "reason": "the language of these messages could not be told"}
    from ml.feedback.training import lack

    return {"is_supported": False, "reason": lack(rated(run, language), _asked(run, language)) or "not trained yet"}


def _languages(run: Run) -> list[str]:
    """Those that any message is in, by code."""
    known = run.warehouse.read("select distinct language from ml.feedback_messages where language <> 'unknown'")
    return sorted(known["language"])


def _question(run: Run, language: str) -> training.Question:
    config = run.source.models.feedback.model_dump(mode="json", exclude={"aspects"})
    return training.Question(
        model=f"feedback_{language}",
        horizon_days=0,
        config=config | training.shared_config(run),
        minimum_history_days=0,
        maximum_training_cutoffs=0,
        maximum_customers=run.source.models.maximum_customers,
    )


def _card(run: Run, language: str) -> ModelCard | None:
    return training.serving_card(run, _question(run, language), as_of=run.as_of)


def _champion(card: ModelCard | None) -> str | None:
    return card.candidate if card is not None and card.served_by == "champion" else None


def _asked(run: Run, language: str, *, champion: str | None = None) -> "Question":
    from ml.feedback.training import Question

    config = run.source.models.feedback
    return Question(
        language=language,
        as_of=run.as_of,
        seed=run.source.models.seed,
        minimum_messages=config.minimum_messages,
        minimum_outcomes=config.minimum_outcomes,
        margin=config.margin,
        champion=champion,
    )


def _train(run: Run, language: str, messages: pl.DataFrame, *, champion: str | None) -> ModelCard | None:
    """Hold the contest and keep it; nothing where the language has too little."""
    from ml.feedback.training import lack, train

    question = _asked(run, language, champion=champion)
    if lack(messages, question):
        return None
    trained = train(messages, question)
    days = messages["feedback_date"].sort()
    counts = {
        "customers": messages["customer_id"].n_unique(),
        "outcomes": messages.height,
        "tested_customers": trained.quality["tested_message_count"],
    }
    found = Evidence(data_window=[days[0].isoformat(), days[-1].isoformat()], counts=counts, quality=trained.quality)
    return training.keep(run, _question(run, language), trained, as_of=run.as_of, evidence=found)
