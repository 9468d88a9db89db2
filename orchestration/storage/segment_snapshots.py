"""Snapshots of segments: who was in one when a campaign took it. Kept once, by name, and never changed."""

from datetime import datetime
from pathlib import Path

import polars as pl

from ml.schemas import conform
from ml.segment_schemas import SEGMENT_SNAPSHOTS
from orchestration.errors import InputError
from orchestration.intake.source_file import load_source
from orchestration.privacy import consent
from orchestration.publishing.generations import DATABASE
from orchestration.settings import Settings
from orchestration.storage import kept_files
from orchestration.warehouse import reader


def kept(settings: Settings, *, source: str) -> list[pl.DataFrame]:
    """The snapshots of segments that were taken, SEGMENT_SNAPSHOTS each, by name."""
    return [pl.read_parquet(file) for file in kept_files.parquet_files(_snapshots(settings, source))]


def freeze(settings: Settings, *, name: str, strategy: str, segment: str, now: datetime) -> int:
    """Keep who is in a segment of the published version and allows marketing; gives how many they are.

    The caller holds the writer lock.

    Raises:
        InputError: the name is taken or no name, nothing is published, or nobody is in such a segment.
    """
    source = load_source(settings.source).name
    file = _snapshots(settings, source) / f"{name}.parquet"
    if not name.isidentifier() or len(name) > 63:
        raise InputError(f"'{name}' is no name of a snapshot: letters, digits and _ only, such as spring_sale.")
    if file.exists():
        raise InputError(f"A snapshot {name} is kept already, and a snapshot never changes: choose another name.")
    published = settings.published_dir / "current" / DATABASE
    if not published.exists():
        raise InputError("Nothing is published yet: `clientele run` first.")
    with reader(published) as connection:
        known = connection.sql(f"from ml.customer_segments where {consent.allowed('marketing')}").pl()
    people = known.filter(pl.col("strategy") == strategy, pl.col("segment") == segment).sort("customer_id")
    if people.is_empty():
        there = known.group_by("strategy", "segment").len().sort("strategy", "segment")
        listed = ", ".join(f"{row[0]} {row[1]}" for row in there.iter_rows())
        raise InputError(f"Nobody is in {strategy} {segment}. There are: {listed or 'no segments'}.")
    taken = people.with_columns(snapshot=pl.lit(name), taken_at=pl.lit(now))
    kept_files.write_frame(file, conform(taken, SEGMENT_SNAPSHOTS))
    return len(people)


def _snapshots(settings: Settings, source: str) -> Path:
    return settings.history_dir / "segment_snapshots" / source
