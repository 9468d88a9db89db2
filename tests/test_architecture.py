"""Conventions that no linter knows: names, owners, descriptions, sizes, and that two places say the same."""

import re
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from ml.schemas import TRANSACTIONS, empty
from ml.tables import TABLES
from orchestration.definitions import build_definitions
from orchestration.intake import reference
from orchestration.intake.entities import ENTITIES
from orchestration.publishing.generations import PUBLIC_SCHEMAS
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.warehouse import Warehouse

GROUPS = {
    "raw", "staging", "marts", "quality", "features", "segmentation", "churn", "clv", "models",
    "recommendations", "demand", "experiments", "campaigns", "feedback", "reports", "activation", "publish", "sync",
}  # fmt: skip
NO_TABLE = {
    ("ml", f"{name}_model") for name in ("churn", "clv", "recommendation", "feedback", "response", "lookalike")
} | {("published", "clientele"), ("sync", "regulars")}
STAGED = {
    "text": "VARCHAR", "timestamp": "TIMESTAMP", "date": "DATE", "double": "DOUBLE", "boolean": "BOOLEAN",
    "money": "DECIMAL(18,4)", "quantity": "DECIMAL(18,4)", "rate": "DECIMAL(18,10)",
}  # fmt: skip


@pytest.fixture(scope="module")
def graph(settings: Settings) -> Any:
    return build_definitions(settings).resolve_asset_graph()


@pytest.fixture(scope="module")
def columns(settings: Settings) -> dict[str, dict[str, str]]:
    """Column types by relation of the warehouse."""
    warehouse = Warehouse(settings.warehouse_file, settings=settings)
    rows = warehouse.read(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() where not internal"
    )
    found: dict[str, dict[str, str]] = {}
    for relation, column, kind in rows.iter_rows():
        found.setdefault(relation, {})[column] = kind
    return found


def files(*suffixes: str) -> list[Path]:
    """The project's own files."""
    folders = ("orchestration", "ml", "tests", "dbt_project", "benchmarks", "dashboard", "handbook")
    found = [file for folder in folders for suffix in suffixes for file in (PROJECT_DIR / folder).rglob(f"*{suffix}")]
    return [file for file in found if "target" not in file.parts]


def test_every_asset_says_what_one_row_is_who_owns_it_and_what_it_is_made_of(graph: Any) -> None:
    for node in graph.asset_nodes:
        assert (node.description or "").startswith("One "), node.key
        assert node.owners, node.key
        assert node.kinds, node.key
        assert node.group_name in GROUPS, node.key


def test_an_asset_is_at_the_address_of_its_table(graph: Any, columns: dict[str, Any], manifest: dict[str, Any]) -> None:
    keys = {tuple(key.path) for key in graph.get_all_asset_keys()}
    assert {len(key) for key in keys} == {2}
    assert {f"{schema}.{table}" for schema, table in keys - NO_TABLE} == set(columns)
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    sources = list(manifest["sources"].values())
    assert {(node["schema"], node["name"]) for node in models + sources} == keys - NO_TABLE


def test_the_graph_reads_from_raw_to_published_without_a_stray_asset(graph: Any) -> None:
    published = dg.AssetKey(["published", "clientele"])
    for node in graph.asset_nodes:
        assert node.parent_keys or node.key.path[0] == "raw", f"{node.key} comes from nothing"
        assert node.child_keys or node.key == published or node.group_name == "sync", f"{node.key} leads nowhere"
    public = {key for key in graph.get_all_asset_keys() if key.path[0] in PUBLIC_SCHEMAS}
    assert graph.get(published).parent_keys == public


def test_names_of_tables_follow_their_folder(manifest: dict[str, Any]) -> None:
    prefixes = {
        "staging": "stg_", "intermediate": "int_", "marts": ("dim_", "fct_"), "reports": "rpt_", "quality": "",
    }  # fmt: skip
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model":
            assert node["name"].startswith(prefixes[node["fqn"][1]]), node["name"]
            assert node["schema"] == node["fqn"][1], node["name"]


def test_the_schemas_of_ml_are_the_source_ml_of_dbt_and_the_tables_of_the_warehouse(
    manifest: dict[str, Any], columns: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    declared = {node["name"]: node["columns"] for node in manifest["sources"].values() if node["schema"] == "ml"}
    assert set(declared) == set(TABLES)
    warehouse = Warehouse(tmp_path / "empty.duckdb", settings=Settings())
    for name, schema in TABLES.items():
        warehouse.write(f"ml.{name}", empty(schema))
        types = {column: kind for column, kind, *_ in warehouse.read(f"describe ml.{name}").iter_rows()}
        assert {column: kind["data_type"].upper() for column, kind in declared[name].items()} == types, name
        assert columns[f"ml.{name}"] == types, name
        assert all(kind["description"] for kind in declared[name].values()), name


def test_what_ml_reads_is_what_the_marts_hold(settings: Settings) -> None:
    warehouse = Warehouse(settings.warehouse_file, settings=settings)
    frame = warehouse.read(f"select {', '.join(TRANSACTIONS)} from marts.fct_transactions limit 0")
    assert frame.schema == pl.Schema(TRANSACTIONS)


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=str)
def test_staging_types_every_contract_column_and_no_other(entity: Any, columns: dict[str, dict[str, str]]) -> None:
    staged = columns[f"staging.stg_{entity.name}_typed"]
    ours = {"content_hash", "updated_at", "reporting_currency"}
    given = {name: kind for name, kind in staged.items() if name[0] != "_" and name not in ours}
    contract = {column.name: STAGED[column.type] for column in entity.columns if not column.is_private}
    attributes = {"loyalty_tier": "VARCHAR"} if entity.takes_attributes else {}
    assert given == contract | attributes
    assert staged.get("updated_at", "TIMESTAMP") == "TIMESTAMP"
    assert set(columns[f"raw.{entity.name}"]) >= set(contract) | {"updated_at", "_source_file", "_row_number"}


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=str)
def test_two_rows_are_the_same_only_if_every_contract_column_is(entity: Any) -> None:
    sql = (PROJECT_DIR / f"dbt_project/models/staging/stg_{entity.name}_typed.sql").read_text()
    start = max(sql.find("content_hash(["), sql.find("quick_hash(["))
    hashed = re.findall(r"'(\w+)'", sql[start : sql.index("]", start)])
    assert hashed == list(entity.public)


def test_declared_attributes_are_what_the_contract_lacks() -> None:
    macro = (PROJECT_DIR / "dbt_project/macros/declared_attributes.sql").read_text()
    listed = re.findall(r"'(\w+)'", macro[: macro.index("] -%}")].partition("contract = [")[2])
    assert listed == [*ENTITIES["customers"].public, "updated_at"]


@pytest.mark.parametrize(
    ("folder", "may_read"),
    [
        ("staging", r"stg_\w+"),
        ("intermediate", r"(stg|int)_\w+"),
        ("marts", r"(stg|int|dim|fct)_\w+"),
    ],
)
def test_a_folder_of_sql_reads_what_comes_before_it(folder: str, may_read: str) -> None:
    read = {
        (file.stem, name)
        for file in (PROJECT_DIR / "dbt_project" / "models" / folder).glob("*.sql")
        for name in re.findall(r"ref\('(\w+)'\)", file.read_text())
    }
    assert read
    assert {(model, name) for model, name in read if not re.fullmatch(may_read, name)} == set()


def test_files_are_short() -> None:
    assert len(files(".py")) > 50
    long = {file.name: count for file in files(".py", ".sql") if (count := _length(file)) > _most(file)}
    assert long == {}


def _most(file: Path) -> int:
    return 100 if file.suffix == ".sql" else 300


def _length(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_every_module_says_what_belongs_in_it() -> None:
    modules = [file for folder in ("orchestration", "ml") for file in (PROJECT_DIR / folder).rglob("*.py")]
    assert [file.name for file in modules if not file.read_text().startswith('"""')] == []


@pytest.mark.parametrize("lock", sorted(PROJECT_DIR.glob("requirements*.lock")), ids=lambda file: file.stem)
def test_a_lock_file_pins_every_package_by_hash_and_names_no_index(lock: Path) -> None:
    text = lock.read_text()
    packages = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(packages) > 100
    for package in packages:
        assert re.match(r"[a-z0-9._-]+==\S+", package), package[:80]
        assert "--hash=sha256:" in package, package[:80]
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|--find-links)|https?://", text, re.MULTILINE)


@pytest.mark.parametrize("lock", sorted(PROJECT_DIR.glob("requirements*.lock")), ids=lambda file: file.stem)
def test_what_make_test_installs_and_make_audit_looks_at_holds_every_other_lock_file(lock: Path) -> None:
    pins = [
        set(re.findall(r"^[a-z0-9._-]+==[^\s;]+", file.read_text(), re.MULTILINE))
        for file in (lock, PROJECT_DIR / "requirements-dev.lock")
    ]
    assert pins[0] <= pins[1]


def test_the_reference_page_is_what_the_models_of_source_files_say() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page()
