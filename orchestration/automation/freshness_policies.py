"""Dagster's own view of freshness: which tables should have been made again by when.

The windows are the source file's. How old the data in them is, is asked by `freshness`.
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from orchestration.intake.configuration import FreshnessConfig
from orchestration.intake.source_file import Source
from orchestration.publishing.generations import PUBLIC_SCHEMAS

WATCHED = {"landing", "raw", "published", *PUBLIC_SCHEMAS}
"""Schemas whose tables have a policy: what comes in, and what goes out."""


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
