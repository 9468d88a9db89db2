"""Response as a run asks for it: the contacts that teach, the model that serves, and the scores of a bucket."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import polars as pl

from ml.campaigns.contacts import thought_of
from ml.small_groups import SMALLEST_GROUP
from orchestration.models import contacts, training
from orchestration.models.evidence import Evidence
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.storage.model_files import ModelCard

MOST_KINDS: Final = 5
"""Kinds of campaign that customers are scored for, the most frequent."""


def is_known(run: Run) -> bool:
    """Whether enough people responded to contacts whose window is over that a rate tells of none of them."""
    last = run.as_of - timedelta(days=run.source.models.campaigns.response_window_days - 1)
    found = run.warehouse.read(
        f"select count(distinct customer_id) from ({contacts.MADE}) as made where contact_date <= date '{last}' "
        f"and response_date is not null and {consent.allowed('profiling')} and {consent.allowed('marketing')}"
    )
    return bool(found.item() >= SMALLEST_GROUP)


def question(run: Run) -> training.Question:
    """What is asked of the model; one with another answer to any of it does not serve."""
    config = run.source.models.campaigns
    asked = {"response_window_days", "without_attributes", "minimum_contacts", "minimum_outcomes"}
    return training.Question(
        model="response",
        horizon_days=config.response_window_days,
        config=config.model_dump(mode="json", include=asked) | training.shared_config(run),
        minimum_history_days=0,
        maximum_training_cutoffs=0,
        maximum_customers=run.source.models.maximum_customers,
    )


def train(run: Run, *, champion: str | None, **_: Any) -> ModelCard:
    """Hold the contest on the contacts whose window is over, and keep who serves."""
    from ml.campaigns import response_training

    config = run.source.models.campaigns
    contacted = f"select customer_id from ({contacts.MADE}) as made"
    frames = contacts.map_parts(run, _made, among=contacted, at_most=run.source.models.maximum_customers)
    known = pl.concat(frames, how="diagonal").sort("contact_date", "customer_id", "campaign_id")
    asked = response_training.Question(
        as_of=run.as_of,
        window_days=config.response_window_days,
        seed=run.source.models.seed,
        minimum_contacts=config.minimum_contacts,
        minimum_outcomes=config.minimum_outcomes,
        champion=champion,
    )
    trained = response_training.train(known, asked)
    evidence = Evidence(
        data_window=[known["contact_date"].min().isoformat(), run.as_of.isoformat()],  # type: ignore[union-attr] # a date
        counts={"customers": known["customer_id"].n_unique(), "contacts": known.height},
    )
    return training.keep(run, question(run), trained, as_of=run.as_of, evidence=evidence)


def trusted() -> Sequence[str]:
    """The types that a model file may hold."""
    from ml.campaigns.response import TRUSTED_TYPES

    return TRUSTED_TYPES


def scored(
    parts: contacts.Parts, *, model: Any, kinds: Sequence[str | None], asked_on: Any, named: dict[str, Any]
) -> pl.DataFrame:
    """How likely each customer of a bucket is to respond to each kind of campaign, were they contacted on a day."""
    asked = contacts.known(parts, thought_of(parts["customers"]["customer_id"], kinds, on=asked_on))
    return asked.select(
        "customer_id",
        campaign_kind=pl.col("campaign_kind"),
        response_probability=pl.Series(model.predict(asked), dtype=pl.Float64),
        **{name: pl.lit(value) for name, value in named.items()},
    )


def _made(parts: contacts.Parts) -> pl.DataFrame:
    return contacts.known(parts, parts["contacts"].filter(pl.col("contact_date").is_not_null()))
