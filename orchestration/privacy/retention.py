"""How long rows and history are kept, where a source file says so: the day before which they go.

Days are counted back from the last published day, so that what a run shows was all there when it read it.
"""

from datetime import date, timedelta
from typing import Final

from orchestration.intake.source_file import Source
from orchestration.privacy.registry import HISTORY
from orchestration.publishing.generations import current
from orchestration.settings import Settings
from orchestration.storage import kept_files

SUBJECTS: Final = tuple(subject for subject in HISTORY if subject != "segment_snapshots")
"""The subjects of the history with a row per customer, a file a day; snapshots are by name, and stay."""


def first_kept_day(subject: str, *, source: Source, settings: Settings) -> date | None:
    """The first day of which an entity's rows, or the `history`, are kept; none where all are."""
    days = source.privacy.retention_days.get(subject)
    published = current(settings)
    if days is None or published is None or published.manifest["source"] != source.name:
        return None
    return published.as_of - timedelta(days=days)


def prune_history(source: Source, settings: Settings) -> int:
    """Remove the history's days of single customers that are older than the source file lets them grow.

    Returns how many files are gone.
    """
    first = first_kept_day("history", source=source, settings=settings)
    if first is None:
        return 0
    files = [
        file
        for subject in SUBJECTS
        for file in kept_files.parquet_files(settings.history_dir / subject / source.name)
        if date.fromisoformat(file.stem) < first
    ]
    for file in files:
        kept_files.remove(file)
    return len(files)
