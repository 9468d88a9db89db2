"""What BI tools are told is true of what is published: the Superset bundle's columns and metrics, each recipe."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import duckdb
import pytest

from orchestration.answers.asking import rows
from orchestration.publishing.generations import DATABASE
from orchestration.settings import Settings
from tests.bi.bundle import Asked, Dataset, datasets, parts, with_folder
from tests.bi.recipes import PAGE, recipe

PROMISED = json.loads(Path(__file__).with_name("published_schema.json").read_text())["tables"]
NUMBERS = {"BIGINT", "HUGEINT", "DOUBLE", "DECIMAL(38,4)"}
SHOWN = {table: dataset for table, dataset in datasets().items() if dataset.metrics}


@pytest.fixture
def file(published: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(published / DATABASE), read_only=True) as connection:
        yield connection


def uri() -> str:
    (database,) = parts("databases").values()
    return str(database["sqlalchemy_uri"])


@pytest.mark.parametrize("dataset", datasets().values(), ids=lambda dataset: dataset.table)
def test_a_dataset_is_a_published_table_with_columns_of_the_types_that_it_says(dataset: Dataset) -> None:
    said = {name: column["type"] for name, column in dataset.columns.items()}
    assert said.items() <= PROMISED[dataset.table].items()
    times = {name for name, column in dataset.columns.items() if column.get("is_dttm")}
    assert times == {name for name, kind in said.items() if kind in ("DATE", "TIMESTAMP")}


def test_a_dataset_says_of_its_table_and_columns_what_dbt_says(file: duckdb.DuckDBPyConnection) -> None:
    found = file.execute(
        "select schema_name || '.' || table_name, column_name, comment from duckdb_columns() where not internal"
    ).fetchall()
    comments = {(table, column): comment for table, column, comment in found}
    said = {
        (dataset.table, name): column.get("description")
        for dataset in datasets().values()
        for name, column in dataset.columns.items()
    }
    assert {key: (words, comments[key]) for key, words in said.items() if words != comments[key]} == {}


@pytest.mark.parametrize("dataset", SHOWN.values(), ids=lambda dataset: dataset.table)
def test_a_metric_is_a_number_that_its_table_can_tell(dataset: Dataset, file: duckdb.DuckDBPyConnection) -> None:
    for metric, expression in dataset.metrics.items():
        ((kind,),) = file.execute(f"select typeof({expression}) from {dataset.table}").fetchall()
        assert kind in NUMBERS, f"{metric} is {kind}"


def test_metrics_add_up_as_their_descriptions_promise(file: duckdb.DuckDBPyConnection) -> None:
    def value(table: str, *metrics: str, where: str = "true") -> list[Any]:
        asked = ", ".join(datasets()[table].metrics[metric] for metric in metrics)
        return [*file.execute(f"select {asked} from {table} where {where}").fetchall()[0]]

    def told(query: str) -> Any:
        return file.execute(query).fetchall()[0][0]

    sold = told("select sum(net_amount) from marts.fct_transactions")
    assert value("reports.rpt_kpis_daily", "total_net_amount", "total_transaction_count") == [
        sold,
        told("select count(*) from marts.fct_transactions"),
    ]
    assert value("reports.rpt_revenue_bridge", "bridge_net_amount") == [sold]
    change, *effects = value(
        "reports.rpt_revenue_decomposition",
        "decomposed_change_amount",
        *(metric for metric in datasets()["reports.rpt_revenue_decomposition"].metrics if "_effect_" in metric),
        where="period_kind = 'month'",
    )
    assert len(effects) == 6
    assert sum(effects) == change
    assert value("reports.rpt_segment_profiles", "segment_customer_share", where="strategy = 'rfm'") == [
        pytest.approx(1)
    ]
    assert value("quality.reconciliation", "unexplained") == [0]
    first = value("reports.rpt_cohort_retention", "cohort_retention_rate", where="month_number = 0")
    assert first == [1]


@pytest.mark.parametrize("chart", parts("charts").values(), ids=lambda chart: chart["slice_name"])
def test_a_chart_asks_only_for_what_its_dataset_has(chart: dict[str, Any]) -> None:
    dataset, asked = Dataset.of(parts("datasets")[chart["dataset_uuid"]]), Asked.by(chart)
    assert asked.columns | asked.metrics
    assert asked.columns <= set(dataset.columns)
    assert asked.metrics <= set(dataset.metrics)
    assert chart["params"]["viz_type"] == chart["viz_type"]


def test_the_dashboard_shows_every_chart_once_and_filters_by_a_column_that_exists() -> None:
    (dashboard,) = parts("dashboards").values()
    places = [place for place in dashboard["position"].values() if isinstance(place, dict)]
    shown = [place["meta"]["uuid"] for place in places if place["type"] == "CHART"]
    assert sorted(shown) == sorted(parts("charts"))
    listed = [child for place in places for child in place.get("children", [])]
    assert sorted(listed) == sorted({place["id"] for place in places} - {"ROOT_ID", "HEADER_ID"})
    for row in (place for place in places if place["type"] == "ROW"):
        assert sum(dashboard["position"][child]["meta"]["width"] for child in row["children"]) == 12
    for one in dashboard["metadata"]["native_filter_configuration"]:
        (target,) = one["targets"]
        assert target["column"]["name"] in Dataset.of(parts("datasets")[target["datasetUuid"]]).columns


def test_superset_can_write_nothing_and_read_no_other_file(settings: Settings, tmp_path: Path) -> None:
    (database,) = parts("databases").values()
    assert not any(database[key] for key in ("allow_dml", "allow_ctas", "allow_cvas", "allow_csv_upload"))
    assert {part["database_uuid"] for part in parts("datasets").values()} == {database["uuid"]}
    address = urlsplit(with_folder(uri(), settings.data_dir.resolve()))
    with duckdb.connect(address.path.removeprefix("/"), config=dict(parse_qsl(address.query))) as connection:
        for forbidden in (
            "create table marts.mine as select 1",
            "from read_text('/etc/hostname')",
            f"copy marts.dim_as_of to '{tmp_path}/stolen.csv'",
            "set enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error, match=r"read-only|disabled by configuration|has been locked"):
                connection.execute(forbidden)


@pytest.mark.parametrize(
    ("section", "language", "words"),
    [
        ("Superset", "", ["access_mode=read_only", "enable_external_access=false", "lock_configuration=true"]),
        ("Python and Jupyter", "python", ["read_only=True", '"enable_external_access": "false"', "lock_configuration"]),
        ("Node", "js", ['access_mode: "READ_ONLY"', 'enable_external_access: "false"', "lock_configuration"]),
        ("Command line", "sh", ["-readonly", "enable_external_access = false", "lock_configuration = true"]),
    ],
)
def test_a_recipe_opens_the_published_file_read_only_and_locked(section: str, language: str, words: list[str]) -> None:
    code = recipe(section, language)
    assert "/srv/clientele/data/published/current/clientele.duckdb" in code
    assert [word for word in words if word not in code] == []


def test_the_page_names_the_bundles_own_connection_and_a_setting_for_every_tool() -> None:
    assert recipe("Superset", "").strip() == uri()
    tools = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| [")]
    assert len(tools) == 10
    assert [
        row[0]
        for row in tools
        if not any(word in row[1].lower() for word in ("read_only", "read-only", "readonly", "read only"))
    ] == []


def test_the_recipe_for_python_answers_its_question(settings: Settings) -> None:
    names: dict[str, Any] = {}
    exec(recipe("Python and Jupyter", "python", data_dir=settings.data_dir), names)  # noqa: S102 - our own page
    counted = rows("select count(distinct week_end) from reports.rpt_kpis_weekly", settings).item()
    assert len(names["rows"]) == counted > 0
