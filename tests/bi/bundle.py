"""The Superset bundle as it lies in the project, and what each part of it asks of the published tables."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orchestration.settings import PROJECT_DIR

BUNDLE = PROJECT_DIR / "bi" / "superset"


def parts(kind: str) -> dict[str, dict[str, Any]]:
    """The bundle's charts, dashboards, databases or datasets, by their uuid."""
    found = [yaml.safe_load(file.read_text()) for file in sorted((BUNDLE / kind).rglob("*.yaml"))]
    assert found, f"{BUNDLE / kind} is empty"
    by_uuid = {part["uuid"]: part for part in found}
    assert len(by_uuid) == len(found), f"two {kind} have one uuid"
    return by_uuid


@dataclass(frozen=True)
class Dataset:
    """One published table as Superset knows it."""

    table: str
    columns: dict[str, dict[str, Any]]
    metrics: dict[str, str]

    @classmethod
    def of(cls, part: dict[str, Any]) -> "Dataset":
        columns = {column["column_name"]: column for column in part["columns"]}
        metrics = {metric["metric_name"]: metric["expression"] for metric in part["metrics"]}
        return cls(f"{part['schema']}.{part['table_name']}", columns, metrics)


def datasets() -> dict[str, Dataset]:
    """Every dataset, by the published table that it shows."""
    return {dataset.table: dataset for dataset in map(Dataset.of, parts("datasets").values())}


@dataclass(frozen=True)
class Asked:
    """What a chart asks of its dataset."""

    columns: set[str]
    metrics: set[str]

    @classmethod
    def by(cls, chart: dict[str, Any]) -> "Asked":
        asked = chart["params"]
        groups = asked.get("groupby", [])
        columns = [*asked.get("all_columns", []), *([groups] if isinstance(groups, str) else groups)]
        columns += [asked["x_axis"]] if "x_axis" in asked else []
        columns += [json.loads(order)[0] for order in asked.get("order_by_cols", [])]
        columns += [one["subject"] for one in asked["adhoc_filters"] if one["expressionType"] == "SIMPLE"]
        metrics = [*asked.get("metrics", []), *([asked["metric"]] if "metric" in asked else [])]
        return cls(set(columns), set(metrics))


def with_folder(text: str, data_dir: Path) -> str:
    """Text of the bundle or of a recipe, about this data folder."""
    return text.replace("/srv/clientele/data", str(data_dir))
