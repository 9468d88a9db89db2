"""What other systems know of our customers: an asset per activation, brought up to date after a publication."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.activation.audience import audience
from orchestration.activation.destinations import destination_of
from orchestration.activation.sync import Books, sync
from orchestration.dbt.assets import OWNERS
from orchestration.intake.source_file import Source, load_source
from orchestration.runs.writer import writer_lock
from orchestration.settings import Settings


def syncs(source: Source | None, settings: Settings) -> list[dg.AssetsDefinition]:
    """The assets of a source's activations; none where it declares none."""
    return [_told(name, settings) for name in source.actions.activations] if source else []


def _told(name: str, settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=["sync", name],
        deps=[["published", "clientele"]],
        group_name="sync",
        kinds={"http", "polars"},
        owners=OWNERS,
        description="One customer each whom its destination was told of: those published who allow marketing, are "
        "nobody's control and meet the activation's condition. Only what changed since the last sync is sent.",
    )
    def told() -> dg.MaterializeResult[None]:
        source = load_source(settings.source)
        one = source.actions.activations[name]
        books = Books(settings.history_dir, source.name, name)
        with writer_lock(settings, wait=True):
            sync(
                audience(name, one, source=source, settings=settings),
                books,
                destination_of(name, one, source=source, settings=settings),
                shrink_share=one.shrink_share,
                now=datetime.now(UTC).replace(tzinfo=None),
            )
        (last,) = books.log.tail(1).to_dicts()
        counts = {key: value for key, value in last.items() if key.endswith("_count")}
        there = books.ledger.filter(operation="removed").height
        return dg.MaterializeResult(
            metadata={
                **counts,
                "dagster/row_count": books.ledger.height - there,
                "dead_letter_count": books.dead_letters.height,
            }
        )

    return told
