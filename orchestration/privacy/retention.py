"""How long rows and history are kept, where a source file says so: the day before which they go.

Days are counted back from the last published day, so that what a run shows was all there when it read it.
"""

from datetime import date, timedelta

from orchestration import kept_files
from orchestration.generations import current
from orchestration.intake.source_file import Source
from orchestration.settings import Settings


def published_day(settings: Settings, *, source: str) -> date | None:
    """The day that is published of a source; none before its first publication."""
    published = current(settings)
    return published.as_of if published and published.manifest["source"] == source else None


def first_kept_day(subject: str, *, source: Source, settings: Settings) -> date | None:
    """The first day of which an entity's rows, or the `history`, are kept; none where all are."""
    days = source.privacy.retention_days.get(subject)
    published = published_day(settings, source=source.name)
    return published - timedelta(days=days) if days is not None and published else None


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
        for file in (settings.history_dir / subject / source.name).glob("[!.]*.parquet")
        if date.fromisoformat(file.stem) < first
    ]
    for file in files:
        kept_files.remove(file)
    return len(files)


SUBJECTS = ("segments", "segment_changes", "scores/churn", "scores/clv")
"""The subjects of the history with a row per customer, a file a day."""
