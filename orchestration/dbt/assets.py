"""The dbt project as Dagster assets: the manifest, how its nodes become assets, and the two invocations.

What a model computes belongs in `dbt_project`; what dbt tells while it works, in `events`.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from packaging.version import Version

from orchestration.dbt import check_words, increments
from orchestration.dbt.dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from orchestration.dbt.events import events
from orchestration.dbt.manifest import MARTS, PARSED, SELECTIONS, prepare_manifest
from orchestration.dbt.process import PARSED_OPTION
from orchestration.runs.run import Run
from orchestration.settings import DBT_PROJECT_DIR, Settings

OWNERS = ["team:clientele"]
FLAGS = ["--log-level-file", "info", "--no-write-json"]
"""dbt's own default logs at debug and writes down the manifest that it was given: each a tenth of its time."""
DBT = str(Path(sys.executable).with_name("clientele-dbt"))


class Translator(DagsterDbtTranslator):
    """Key = schema and table; the folder is the group; the description is the one in YAML, grain first."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The folder below `models`; what lies between staging and marts counts as staging, for a shorter graph."""
        folder = str(dbt_resource_props["fqn"][1])
        return "staging" if folder == "intermediate" else folder

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:  # noqa: ARG002 - dagster-dbt's shape
        """One team owns every model."""
        return OWNERS

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """Checks on Python's tables run together with the reports: publishing waits for them, other tables do not."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        description = check_words.rule(manifest["nodes"][unique_id])
        return spec._replace(description=description, blocking=spec.asset_key.path[0] != "ml")

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The description without the SQL that dagster-dbt appends: a link leads to it."""
        return str(dbt_resource_props["description"])


def translator() -> Translator:
    """The translator with tests of the source `ml` as checks on the Python assets that write it."""
    return Translator(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))


class InstalledDbt(DbtCliResource):
    """dbt's command line without what dagster-dbt does before each call and we do not need.

    It asks `dbt --version`, which asks the package registry for a newer one, and loads dbt a second time in our own
    process to fetch row counts and columns: seconds of every run, and a network call out of an offline pipeline.
    """

    @property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        """No handle on the warehouse in this process: dagster-dbt goes on without one."""


def dbt_resource() -> InstalledDbt:
    """dbt's command line on the project of this repository."""
    return InstalledDbt(
        project_dir=str(DBT_PROJECT_DIR),
        profiles_dir=str(DBT_PROJECT_DIR),
        dbt_executable=DBT,
        global_config_flags=FLAGS,
    )


def dbt_models(settings: Settings) -> list[dg.AssetsDefinition]:
    """Every dbt model as an asset and every data test as a check, in two invocations: before and after Python.

    One `@dbt_assets` would be split by Dagster into five, and starting dbt costs as much as the work itself.
    """
    manifest = prepare_manifest(settings)
    return [_invocation(settings, manifest, name=name) for name in SELECTIONS]


def _invocation(settings: Settings, manifest: Path, *, name: str) -> dg.AssetsDefinition:
    select, exclude = SELECTIONS[name]

    @dbt_assets(
        manifest=manifest,
        dagster_dbt_translator=translator(),
        name=name,
        select=select,
        exclude=exclude,
    )
    def models(context: dg.AssetExecutionContext, dbt: DbtCliResource, run: dg.ResourceParam[Run]) -> Iterator[Any]:
        with increments.building(run, is_whole=context.is_subset) if name == MARTS else nullcontext() as increment:
            words = given(settings, run.warehouse.file, manifest, increment=increment)
            run.warehouse.hand_over()
            build = ["build", "--exclude-resource-type", "unit_test", *words]
            invocation = dbt.cli(build, context=context, target_path=settings.dbt_target_dir)
            yield from events(invocation, run, context, manifest)

    return models


def command(verb: str, *words: str, settings: Settings, warehouse: Path, target: Path) -> list[str]:
    """dbt on one warehouse as words for a process: what the assets do through Dagster, for tests and benchmarks."""
    folders = {"--project-dir": DBT_PROJECT_DIR, "--profiles-dir": DBT_PROJECT_DIR}
    places = folders | {"--target-path": target, "--log-path": target}
    named = [str(word) for pair in places.items() for word in pair]
    return [DBT, verb, *words, *named, *given(settings, warehouse, prepare_manifest(settings))]


def given(
    settings: Settings, warehouse: Path, manifest: Path, *, increment: increments.Increment | None = None
) -> list[str]:
    """The words that name the parsed project, the file to write, how much of the machine to take, and what is new.

    Without an increment, all is built whole.
    """
    values = {
        "warehouse": str(warehouse),
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "spill": str(warehouse.with_suffix(".spill")),
        "increment": asdict(increment) if increment else None,
    }
    parsed = [PARSED_OPTION, str(manifest.with_name(PARSED)), "--vars", json.dumps(values)]
    return [*parsed, "--target", settings.dbt_target]
