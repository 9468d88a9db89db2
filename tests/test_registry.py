"""The registry of personal data: it knows every column that is published and every file that a run leaves."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from orchestration.assets.personal_data import CONSENTED, DECLARED, personal_data
from orchestration.dbt.manifest import prepare_manifest
from orchestration.definitions import build_definitions
from orchestration.errors import ClienteleError
from orchestration.intake.source_file import load_source
from orchestration.privacy.consent import PERMISSIONS
from orchestration.privacy.registry import ABOUT_ONE, Registry, load_registry, read_registry
from orchestration.publishing.generations import DATABASE, PUBLIC_SCHEMAS
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse, reader
from tests.commands import Finished
from tests.runs import run_on


def tables(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    return [node for node in nodes if node["resource_type"] in ("model", "source")]


def test_every_column_in_yaml_of_a_published_table_is_declared_by_itself(manifest: dict[str, Any]) -> None:
    published = [node for node in tables(manifest) if node["schema"] in PUBLIC_SCHEMAS]
    assert len(published) > 80
    silent = [
        f"{node['name']}.{column['name']}"
        for node in published
        for column in node["columns"].values()
        if "personal" not in column["config"]["meta"]
    ]
    assert silent == []
    assert [node["name"] for node in published if not node["columns"]] == []


def test_every_table_before_the_marts_is_declared_as_a_whole_or_by_the_input_contract(registry: Registry) -> None:
    before = [table for name, table in registry.tables.items() if name.split(".")[0] not in PUBLIC_SCHEMAS]
    assert [table.name for table in before if table.covers is None and not table.columns] == []


def test_every_column_that_is_published_is_in_the_published_registry(published: Path) -> None:
    query = (
        "select table_schema, table_name, column_name from information_schema.columns "
        "where table_catalog = current_database()"
    )
    with reader(published / DATABASE) as connection:
        there = set(connection.execute(query).fetchall())
        rows = connection.execute("from quality.personal_data").fetchall()
    assert {tuple(row[:3]) for row in rows} == there
    assert [row for row in rows if None in row] == []
    said = {row[:3]: row[3:] for row in rows}
    assert said["marts", "dim_customers", "loyalty_tier"] == ("customer", "operation", "customers", False)
    assert said["marts", "dim_customers", "customer_id"] == ("identifier", "operation", "customers", True)


def test_the_tables_of_people_are_those_with_a_column_for_the_customer(settings: Settings, registry: Registry) -> None:
    warehouse = Warehouse(settings.warehouse_file, settings=settings)
    rows = warehouse.read(
        "select distinct schema_name || '.' || table_name from duckdb_columns() "
        "where not internal and column_name in ('customer_id', 'source_customer_id') "
        "and table_oid in (select table_oid from duckdb_tables())"
    )
    assert {table.name for table in registry.tables_of_people()} == set(rows.to_series())


def test_a_row_about_somebody_says_with_what_it_goes(registry: Registry) -> None:
    for table in registry.tables_of_people():
        if table.name.split(".")[0] in PUBLIC_SCHEMAS:
            assert table.retention != "run", table.name


def test_no_column_about_one_customer_is_in_a_table_without_customers(registry: Registry) -> None:
    for table in registry.tables.values():
        if table.key is None:
            assert [column.name for column in table.columns if column.personal in ABOUT_ONE] == [], table.name


def test_every_file_of_a_data_folder_lies_in_a_place_of_the_registry(
    settings: Settings, registry: Registry, later_runs: dict[str, Finished]
) -> None:
    for folder in (settings.data_dir, later_runs["rebuilt"].settings.data_dir):
        files = [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()]
        assert len(files) > 50
        known = tuple(path + end for path in registry.places for end in ("/", ""))
        strays = [file for file in files if not any(file == path or file.startswith(f"{path}/") for path in known)]
        assert strays == []


def test_kept_files_hold_the_columns_that_the_registry_names_and_no_other(
    settings: Settings, registry: Registry
) -> None:
    seen = set()
    for file in sorted(settings.data_dir.rglob("*.parquet")):
        path = str(file.relative_to(settings.data_dir))
        place = next(place for name, place in registry.places.items() if path.startswith(f"{name}/"))
        columns = pl.read_parquet_schema(file)
        if place.holds == "rows":
            names = {column.name for column in place.columns}
            assert set(columns) <= names | {"_defect", "is_backfilled"}, path
            seen.add(place.path)
        elif place.holds == "nobody":
            assert "customer_id" not in columns, path
    assert seen >= {"raw/customers", "raw/transactions", "vault/customers", "history/segments", "history/scores/clv"}
    for path in seen - {"raw/products", "raw/campaigns"}:
        assert registry.places[path].key == "customer_id", path


def test_an_identifier_that_a_source_publishes_is_declared_as_one(
    settings: Settings, manifest: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "tiny_shop.yml"
    file.write_text(settings.source.read_text() + "privacy: {publishable: [customers.email]}\n")
    registry = read_registry(manifest, source=load_source(file))
    for table in ("marts.dim_customers", "raw.customers"):
        email = registry.tables[table].column("email")
        assert email is not None
        assert email.personal == "direct"


def test_a_word_that_is_none_is_refused_with_its_column(settings: Settings, manifest: dict[str, Any]) -> None:
    copied = json.loads(json.dumps(manifest))
    copied["nodes"]["model.clientele.fct_feedback"]["columns"]["rating"]["config"]["meta"]["personal"] = "private"
    with pytest.raises(ClienteleError, match=r"marts.fct_feedback.rating: meta.personal is 'private'; known are none"):
        read_registry(copied, source=load_source(settings.source))


def test_an_undeclared_column_and_one_against_consent_fail_checks_that_block(
    settings: Settings, tmp_path: Path
) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb", settings=settings)
    people = pl.DataFrame({"customer_id": ["ann"], "shoe_size": [39]})
    warehouse.write("marts.dim_customers", people)
    warehouse.write("ml.churn_scores", pl.DataFrame({name: ["ann"] for name in churn_columns(settings)}))
    allowed = {f"is_{purpose}_allowed": [False] for purpose in ("analytics", "profiling", "marketing")}
    warehouse.write(PERMISSIONS, pl.DataFrame({"customer_id": ["ann"], **allowed}))
    run = run_on(settings, warehouse=warehouse)
    asset = personal_data([], prepare_manifest(settings))
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([asset], resources={"run": run}, instance=instance, raise_on_error=False)
    evaluations = done.get_asset_check_evaluations()
    found = {check.check_name: (check.passed, check.metadata["columns"].value) for check in evaluations}
    assert found[DECLARED] == (False, ["marts.dim_customers.shoe_size"])
    assert found[CONSENTED][0] is False
    assert "ml.churn_scores.customer_id" in found[CONSENTED][1]
    assert all(spec.blocking for spec in asset.check_specs)


def churn_columns(settings: Settings) -> list[str]:
    table = load_registry(prepare_manifest(settings), source=load_source(settings.source)).tables["ml.churn_scores"]
    return [column.name for column in table.columns]


def test_publishing_waits_for_the_look_at_every_public_table(settings: Settings) -> None:
    graph = build_definitions(settings).resolve_asset_graph()
    keys = {".".join(key.path): key for key in graph.get_all_asset_keys()}
    looked_at = {".".join(key.path) for key in graph.get(keys["quality.personal_data"]).parent_keys}
    assert looked_at == {name for name in keys if name.split(".")[0] in PUBLIC_SCHEMAS} - {"quality.personal_data"}
    assert keys["quality.personal_data"] in graph.get(keys["published.clientele"]).parent_keys
