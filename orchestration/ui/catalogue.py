"""What the UI tells of every asset beside its description: columns in words, where its table lies, its code, its page.

One place for assets of SQL and of Python, so that none is told less of. Words about tables and columns come from the
YAML of the dbt project, as they do for BI; those of what was received, from the input contract.
"""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import dagster as dg

from orchestration.intake.entities import ENTITIES, Entity
from orchestration.settings import DBT_PROJECT_DIR, PROJECT_DIR

PAGES: Final = {
    "landing": "connect_your_data",
    "raw": "connect_your_data",
    "staging": "connect_your_data",
    "marts": "configuration",
    "quality": "connect_your_data",
    "features": "models",
    "churn": "models",
    "clv": "models",
    "recommendations": "models",
    "demand": "models",
    "models": "models",
    "segmentation": "segments",
    "experiments": "experiments",
    "feedback": "feedback",
    "reports": "dashboard",
    "publish": "operations",
    "activation": "activation",
    "sync": "activation",
}
"""The page of `docs` that goes on where a group's descriptions end; another group has the README."""
WAREHOUSE: Final = "warehouse"
"""The catalog that holds every table while a run works."""
NO_TABLE: Final = ("published", "landing", "sync")
"""Schemas of assets that are no tables; neither is a fitted model."""
UNIQUE_ID: Final = "dagster_dbt/unique_id"


def told(assets: Sequence[dg.AssetsDefinition], manifest: Mapping[str, Any]) -> list[dg.AssetsDefinition]:
    """The assets with columns, table, code and page; `manifest` is dbt's."""
    nodes = {**manifest["nodes"], **manifest["sources"]}
    by_table = {f"{node['schema']}.{node['name']}": node for node in nodes.values() if "columns" in node}

    def telling(asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
        def more(spec: dg.AssetSpec) -> dg.AssetSpec:
            node = by_table.get(".".join(spec.key.path), {})
            return spec.merge_attributes(
                metadata=_table(spec, node) | _references(_code(asset, spec, nodes), page=page_of(spec.group_name))
            )

        return asset.map_asset_specs(more)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of the links to code: the UI loses them at worst
        return [telling(asset) for asset in assets]


def page_of(group: str | None) -> Path:
    """The page about a group."""
    page = PAGES.get(group or "")
    return PROJECT_DIR / "docs" / f"{page}.md" if page else PROJECT_DIR / "README.md"


def _table(spec: dg.AssetSpec, node: Mapping[str, Any]) -> dict[str, Any]:
    """Where the table lies and what its columns are; dagster-dbt says so of what SQL builds."""
    schema, name = spec.key.path
    if UNIQUE_ID in spec.metadata or schema in NO_TABLE or name.endswith("_model"):
        return {}
    columns = [
        dg.TableColumn(column, str(told["data_type"] or "").lower(), description=told["description"])
        for column, told in node.get("columns", {}).items()
    ]
    if schema == "raw" and name in ENTITIES:
        columns = _received(ENTITIES[name])
    found: dict[str, Any] = {"dagster/storage_kind": "duckdb", "dagster/table_name": f"{WAREHOUSE}.{schema}.{name}"}
    return found | ({"dagster/column_schema": dg.TableSchema(columns)} if columns else {})


def _received(entity: Entity) -> list[dg.TableColumn]:
    """The contract's columns, as received."""
    said = {True: "As received; a row without it is rejected.", False: "As received; empty where the source has none."}
    return [
        dg.TableColumn(
            column.name,
            column.type,
            description=said[column.is_required] + f" Staging reads it as {column.type}.",
            constraints=dg.TableColumnConstraints(nullable=not column.is_required),
        )
        for column in entity.columns
        if not column.is_private
    ]


def _code(asset: dg.AssetsDefinition, spec: dg.AssetSpec, nodes: Mapping[str, Any]) -> tuple[Path, int]:
    """The file that makes an asset, and the line where that begins."""
    if UNIQUE_ID in spec.metadata:
        return DBT_PROJECT_DIR / nodes[spec.metadata[UNIQUE_ID]]["original_file_path"], 1
    function: Any = asset.node_def.compute_fn.decorated_fn  # type: ignore[attr-defined] # an op: every asset here is one
    code = inspect.unwrap(function).__code__
    return Path(code.co_filename), code.co_firstlineno


def _references(code: tuple[Path, int], *, page: Path) -> dict[str, Any]:
    file, line = code
    links = [
        dg.LocalFileCodeReference(file_path=str(file), line_number=line, label=file.name),
        dg.LocalFileCodeReference(file_path=str(page), label=_short(page)),
    ]
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=links)}


def _short(file: Path) -> str:
    return str(file.relative_to(PROJECT_DIR)) if file.is_relative_to(PROJECT_DIR) else file.name
