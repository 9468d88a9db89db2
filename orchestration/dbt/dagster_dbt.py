"""dagster-dbt without dbt in this process: loading dbt takes as long as all else that a code location needs.

dagster-dbt loads it for two things: for types, of which it has its own where dbt is not installed, so it does not find
ours; and for what a selection stands for, which `parse` wrote into the manifest. Builds load it in processes of
their own.
"""

import sys
from collections.abc import Mapping, Set
from importlib.metadata import version
from typing import Any

from dagster_shared.libraries import DagsterLibraryRegistry

from orchestration.dbt.manifest import SELECTED, selection_key

_HIDDEN = "dbt.version"  # the module by which dagster-dbt finds out
_before = sys.modules.get(_HIDDEN)
sys.modules[_HIDDEN] = None  # type: ignore[assignment]  # Python's own way to say that a module cannot be imported
try:
    from dagster_dbt import (
        DagsterDbtTranslator,
        DagsterDbtTranslatorSettings,
        DbtCliInvocation,
        DbtCliResource,
        DbtProject,
        asset_utils,
        dbt_assets,
    )
    from dagster_dbt.errors import DagsterDbtCliRuntimeError
finally:
    del sys.modules[_HIDDEN]
    if _before:
        sys.modules[_HIDDEN] = _before

__all__ = [
    "DagsterDbtCliRuntimeError",
    "DagsterDbtTranslator",
    "DagsterDbtTranslatorSettings",
    "DbtCliInvocation",
    "DbtCliResource",
    "DbtProject",
    "dbt_assets",
]


def selected(select: str, exclude: str, selector: str, project: Any, manifest_json: Mapping[str, Any]) -> Set[str]:  # noqa: ARG001 - dagster-dbt's shape
    """The ids of nodes that a selection stands for, as dbt itself said when it parsed the project.

    Raises:
        KeyError: the selection is none of `manifest.SELECTIONS`.
    """
    return set(manifest_json[SELECTED][selection_key(select, exclude)])


asset_utils.select_unique_ids = selected  # type: ignore[attr-defined]  # a name that it imports itself
for engine, used in {"dbt-core": version("dbt-core"), "dbt-fusion": "not used"}.items():  # shown with the code location
    DagsterLibraryRegistry.register(engine, used, is_dagster_package=False)
