"""What ingest may not keep, put together: who was erased, what has grown too old, and under which ids to keep the rest.

How a row is recognised belongs in `intake.refusal`.
"""

from dataclasses import replace
from pathlib import Path

from orchestration.intake.deliveries import Delivery
from orchestration.intake.entities import Entity
from orchestration.intake.refusal import Rule, nobody
from orchestration.intake.revisions import revise
from orchestration.intake.source_file import Source
from orchestration.privacy import pseudonyms, tombstones
from orchestration.privacy.retention import first_kept_day
from orchestration.settings import Settings


def received_rule(entity: Entity, *, source: Source, settings: Settings) -> Rule:
    """The rule for rows of an entity that arrive: their ids are the source's own.

    Raises:
        ClienteleError: the key that pseudonyms or tombstones need is not at hand.
    """
    if not any(column.name == "customer_id" for column in entity.columns):
        return Rule()
    erased = tombstones.read(settings, source=source.name)
    return Rule(
        customers=erased.customers if erased else nobody,
        transactions=erased.transactions if erased else nobody,
        before=first_kept_day(entity.name, source=source, settings=settings),
        pseudonyms=pseudonyms.giver(source, settings),
    )


def age(delivery: Delivery, *, entity: Entity, raw: Path, vault: Path, rule: Rule) -> Delivery:
    """A kept delivery without the rows that have grown too old; an erasure has taken out its own already."""
    if rule.before is None:
        return delivery
    return revise(
        delivery, entity=entity, raw=raw, vault=vault, rule=replace(rule, customers=nobody, transactions=nobody)
    )
