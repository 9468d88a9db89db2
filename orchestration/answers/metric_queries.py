"""Questions to the metrics layer: MetricFlow writes their SQL from the semantic models of the dbt project.

The SQL is asked like any other (`asking`). What a metric is belongs in the YAML of the mart that it is measured on.
"""

import json
from collections.abc import Sequence
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import Any

import polars as pl
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest, OutputColumnOrderMode
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantic_interfaces.type_enums.dimension_type import DimensionType
from metricflow_semantics.errors.error_classes import InformativeUserError
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from orchestration.answers import asking
from orchestration.dbt.manifest import SEMANTIC, prepare_manifest
from orchestration.errors import InputError
from orchestration.settings import Settings


class _Renderer:
    """What MetricFlow asks of a database when it is to write SQL and run none."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()


def metrics_engine(settings: Settings) -> MetricFlowEngine:
    """MetricFlow on the semantic models of the project, whose relations are those of a published file."""
    document = prepare_manifest(settings).with_name(SEMANTIC).read_text()
    relocated = json.dumps(json.loads(document, object_hook=_as_published))
    manifest = parse_manifest_from_dbt_generated_manifest(relocated)
    return MetricFlowEngine(SemanticManifestLookup(manifest), _Renderer())  # type: ignore[arg-type]  # it runs nothing


def sql_for(
    metrics: Sequence[str],
    *,
    by: Sequence[str] = (),
    first: date | None = None,
    last: date | None = None,
    engine: MetricFlowEngine,
) -> str:
    """The SQL that answers: one row per value of `by`, in that order, with each metric as a column.

    Raises:
        InputError: a metric is not known, the metrics cannot be divided so, or the last day comes before the first.
    """
    _require_known(metrics, engine)
    if first and last and first > last:
        raise InputError(f"From {first} to {last}: the first day is after the last.")
    metrics, by = [*dict.fromkeys(metrics)], [*filter(None, dict.fromkeys(by))]
    request = MetricFlowQueryRequest.create(
        metric_names=metrics,
        group_by_names=by,
        order_by_names=by,
        time_constraint_start=datetime.combine(first, time.min) if first else None,
        time_constraint_end=datetime.combine(last, time.min) if last else None,
        output_column_order_mode=OutputColumnOrderMode.INPUT_ORDER,
    )
    try:
        return str(engine.explain(request).sql_statement.without_descriptions.sql)
    except InformativeUserError:  # says so on a page, with its own parts in it
        attributes, periods = _ways_to_divide(metrics, engine)
        ways = ", ".join([*attributes, *periods])
        raise InputError(f"{', '.join(metrics)} by {', '.join(by)}: they can be divided by {ways}.") from None


def answer(question: str, settings: Settings) -> pl.DataFrame:
    """The rows that answer the SQL of a question about metrics, with periods as the days on which they begin or end.

    Raises:
        InputError: nothing is published yet.
    """
    return asking.rows(question, settings).with_columns(pl.col(pl.Datetime).cast(pl.Date))


def catalogue(engine: MetricFlowEngine) -> pl.DataFrame:
    """One row per metric, with what it is and by what it can be divided; all of them by `metric_time` and a grain."""
    rows = [
        (metric.name, metric.description, ", ".join(_ways_to_divide([metric.name], engine)[0]))
        for metric in sorted(engine.list_metrics(), key=lambda metric: metric.name)
    ]
    return pl.DataFrame(rows, schema=["metric", "what", "by"], orient="row")


def _require_known(metrics: Sequence[str], engine: MetricFlowEngine) -> None:
    known = {metric.name for metric in engine.list_metrics()}
    for name in metrics:
        if name not in known:
            nearest = "".join(f" The nearest is {near}." for near in get_close_matches(name, known, n=1))
            raise InputError(f"{name}: there is no such metric.{nearest} `clientele metrics` lists them.")


def _ways_to_divide(metrics: Sequence[str], engine: MetricFlowEngine) -> tuple[list[str], list[str]]:
    """What all of some metrics have in common: attributes of what they are measured on, and periods."""
    shared = engine.simple_dimensions_for_metrics([*metrics], without_any_property=())
    kinds = (DimensionType.CATEGORICAL, DimensionType.TIME)
    attributes, periods = (sorted(way.dunder_name for way in shared if way.type is kind) for kind in kinds)
    return attributes, periods


def _as_published(document: dict[str, Any]) -> dict[str, Any]:
    """A part of dbt's semantic manifest, read for the published file.

    dbt names the working file in a relation; schema and table are the same in both. It also drops `fill_nulls_with`
    from the metrics that have it (1.12.6), which are those with a row for every day: a day without trade counts 0.
    """
    if "relation_name" in document:
        document["relation_name"] = f'"{document["schema_name"]}"."{document["alias"]}"'
    if document.get("join_to_timespine"):
        document["fill_nulls_with"] = 0
    return document
