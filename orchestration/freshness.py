"""How old what is published is, and the data in it: said by `status`, by alerts and, of each table, by Dagster.

The windows are the source file's. Dagster's policies ask when a table was last made; only this module asks for the day
of the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.generations import PUBLIC_SCHEMAS, read_manifest
from orchestration.intake.configuration import FreshnessConfig
from orchestration.intake.source_file import Source
from orchestration.settings import Settings

Level = Literal["warning", "stale"]
WATCHED = {"landing", "raw", "published", *PUBLIC_SCHEMAS}
"""Schemas whose tables have a policy: what comes in, and what goes out."""


@dataclass(frozen=True)
class Age:
    """Something that is older than the source file lets it be."""

    about: Literal["publication", "data"]
    level: Level
    run_id: str
    sentence: str


def policy(source: Source | None) -> dg.FreshnessPolicy:
    """Dagster's policy: a table should have been made within the source file's hours."""
    windows = source.freshness if source else FreshnessConfig()
    return dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=windows.fail_after_hours), warn_window=timedelta(hours=windows.warn_after_hours)
    )


def with_policy(assets: Sequence[dg.AssetsDefinition], source: Source | None) -> list[dg.AssetsDefinition]:
    """The assets, those of them that come in or go out with a freshness policy."""
    given = policy(source)

    def watched(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(freshness_policy=given) if spec.key.path[0] in WATCHED else spec

    return [asset.map_asset_specs(watched) for asset in assets]


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
