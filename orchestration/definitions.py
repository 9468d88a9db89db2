"""The one code location: settings in, every asset, check, job, schedule and resource out. Only this module composes."""

import json
from typing import Any

import dagster as dg

from orchestration.assets import (
    activation,
    churn,
    clv,
    declarations,
    demand,
    drift,
    experiments,
    features,
    feedback,
    landing,
    models,
    next_purchases,
    past_totals,
    raw,
    recommendations,
    segmentation,
    sync,
)
from orchestration.assets.personal_data import personal_data
from orchestration.assets.publish import published_version
from orchestration.automation import jobs
from orchestration.automation.freshness_policies import with_policy
from orchestration.automation.past_days import past_days
from orchestration.automation.sensors import sensors
from orchestration.dbt.assets import dbt_models, dbt_resource
from orchestration.dbt.manifest import prepare_manifest
from orchestration.errors import ClienteleError
from orchestration.intake.source_file import Source, load_source
from orchestration.publishing.generations import PUBLIC_SCHEMAS
from orchestration.runs.run import run_resource
from orchestration.settings import Settings
from orchestration.storage.permissions import keep_private
from orchestration.ui import catalogue


def build_definitions(settings: Settings) -> dg.Definitions:
    """All definitions for one set of settings; tests call it with their own."""
    source = _source(settings)
    sql = dbt_models(settings)
    fetched, fetching = landing.fetched_tables(source, settings)
    python = [
        *fetched,
        *raw.assets(source),
        *declarations.ASSETS,
        *past_totals.ASSETS,
        *features.ASSETS,
        *segmentation.ASSETS,
        *next_purchases.ASSETS,
        *churn.ASSETS,
        *clv.ASSETS,
        *recommendations.ASSETS,
        *demand.ASSETS,
        *feedback.ASSETS,
        *models.ASSETS,
        *drift.ASSETS,
        *experiments.ASSETS,
        *activation.ASSETS,
    ]
    public = sorted(
        (key for assets in (*sql, *python) for key in assets.keys if key.path[0] in PUBLIC_SCHEMAS),
        key=lambda key: tuple(key.path),
    )
    manifest = json.loads(prepare_manifest(settings).read_text())
    registry = personal_data(public, prepare_manifest(settings))
    publication = published_version([*public, registry.key], _comments(manifest))
    syncs = sync.syncs(source, settings)
    timezone = source.timezone if source else "UTC"
    return dg.Definitions(
        assets=with_policy(catalogue.told([*sql, *python, registry, publication, *syncs], manifest), source),
        jobs=[*jobs.jobs(), *([jobs.sync_job()] if syncs else []), past_days(settings)],
        schedules=jobs.schedules(settings, timezone=timezone),
        sensors=sensors(settings, timezone=timezone, is_told_elsewhere=bool(syncs)),
        resources={"dbt": dbt_resource(), "run": run_resource(settings), "io_manager": dg.mem_io_manager, **fetching},
        executor=dg.in_process_executor,
    )


def _comments(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Descriptions by `schema.table` from the dbt project, for tables that SQL makes and that Python makes."""
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    return {
        f"{node['schema']}.{node['name']}": {
            "description": node["description"],
            "columns": {name: column["description"] for name, column in node["columns"].items()},
        }
        for node in nodes
        if node["resource_type"] in ("model", "source")
    }


def _source(settings: Settings) -> Source | None:
    """The configured source; none where its file is broken: a run says so, and the UI opens all the same."""
    try:
        return load_source(settings.source)
    except ClienteleError:
        return None


def __getattr__(name: str) -> dg.Definitions:
    """`defs`, built when Dagster asks for it: importing this module does no work."""
    if name == "defs":
        keep_private()
        return build_definitions(Settings())
    raise AttributeError(name)
