"""What is kept of a parse: each selection stands for the nodes that dbt's own selector finds in the same manifest."""

import json
from importlib.metadata import version

import pytest
from dagster_dbt import utils
from packaging.version import Version

from orchestration.dbt.manifest import SELECTED, SELECTIONS, prepare_manifest, selection_key
from orchestration.settings import Settings

BUILT = {"model", "test"}  # what Dagster makes assets and checks of


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_selection_was_written_down_as_dagster_and_dbt_would_find_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utils, "DBT_PYTHON_VERSION", Version(version("dbt-core")))  # as if dbt had not been hidden
    manifest = json.loads(prepare_manifest(Settings()).read_text())
    select, exclude = SELECTIONS[name]
    found = utils._select_unique_ids_from_manifest(select, exclude, "", manifest)
    nodes = {key for key, node in manifest["nodes"].items() if node["resource_type"] in BUILT}
    assert nodes & set(manifest[SELECTED][selection_key(select, exclude)]) == nodes & found != set()


def test_the_two_builds_share_no_node_and_leave_none_out() -> None:
    manifest = json.loads(prepare_manifest(Settings()).read_text())
    nodes = {key for key, node in manifest["nodes"].items() if node["resource_type"] in BUILT}
    first, second = (nodes & set(ids) for ids in manifest[SELECTED].values())
    assert first.isdisjoint(second)
    assert first | second == nodes
