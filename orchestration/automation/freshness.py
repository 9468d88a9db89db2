"""How old what is published is, and the data in it: said by `status` and by alerts.

The windows are the source file's. When each table was last made is asked by Dagster's policies (`freshness_policies`).
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from orchestration.intake.source_file import Source
from orchestration.publishing.generations import read_manifest
from orchestration.settings import Settings

Level = Literal["warning", "stale"]


@dataclass(frozen=True)
class Age:
    """Something that is older than the source file lets it be."""

    about: Literal["publication", "data"]
    level: Level
    run_id: str
    sentence: str


def published_at(settings: Settings) -> datetime | None:
    """When what is published was made; none before the first publication."""
    manifest = read_manifest(settings.published_dir / "current")
    return datetime.fromisoformat(manifest["published_at"]) if manifest else None


def ages(settings: Settings, source: Source, *, now: datetime) -> list[Age]:
    """What is too old now; nothing where all is fresh, or nothing is published yet."""
    manifest = read_manifest(settings.published_dir / "current")
    if manifest is None:
        return []
    windows, run_id = source.freshness, manifest["run_id"]
    found: list[Age] = []
    hours = (now - datetime.fromisoformat(manifest["published_at"])) / timedelta(hours=1)
    if beyond := _beyond(hours, windows.warn_after_hours, windows.fail_after_hours):
        found.append(
            Age("publication", beyond[0], run_id, f"Published {hours:,.0f} hours ago, more than {beyond[1]:g}.")
        )
    day = date.fromisoformat(manifest["as_of_date"])
    end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(source.timezone))
    days = (now - end) / timedelta(days=1)
    if beyond := _beyond(days, windows.data_warn_after_days, windows.data_fail_after_days):
        sentence = f"The newest data is of {day}, {days:,.0f} days ago, more than {beyond[1]:g}."
        found.append(Age("data", beyond[0], run_id, sentence))
    return found


def _beyond(value: float, warn: float | None, fail: float | None) -> tuple[Level, float] | None:
    """The level that a value reaches, and the limit that it exceeds."""
    if fail is not None and value > fail:
        return "stale", fail
    return ("warning", warn) if warn is not None and value > warn else None
