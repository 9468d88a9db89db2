"""What the Dagster UI tells: of every asset its columns, code and page, of every check what it means and what to do."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.dbt import check_words
from orchestration.dbt.column_lineage import FILE, lineage, sources
from orchestration.definitions import build_definitions
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.ui import catalogue
from tests.commands import Finished, metadata

NO_COLUMNS = {"published.clientele", "raw.loads", "sync.regulars"}


@pytest.fixture(scope="module")
def graph(settings: Settings) -> Any:
    return build_definitions(settings).resolve_asset_graph()


def given(node: Any, name: str) -> Any:
    """A value of an asset's metadata, as it was given or wrapped as Dagster does."""
    value = node.metadata[name]
    return getattr(value, "value", value)


def test_every_table_from_outside_staging_has_its_columns_in_words(graph: Any) -> None:
    for node in graph.asset_nodes:
        name = ".".join(node.key.path)
        if node.group_name == "staging" or name in NO_COLUMNS or name.endswith("_model"):
            continue
        columns = given(node, "dagster/column_schema").columns
        assert columns, name
        assert [column.name for column in columns if not column.description or not column.type] == [], name
        assert given(node, "dagster/table_name") == f"warehouse.{name}"


def test_every_asset_links_to_the_file_that_makes_it_and_to_a_page_that_exists(graph: Any) -> None:
    for node in graph.asset_nodes:
        code, page = given(node, "dagster/code_references").code_references
        file = Path(code.file_path)
        assert file.is_relative_to(PROJECT_DIR), node.key
        if "dagster_dbt/unique_id" in node.metadata:
            assert file.name == f"{node.key.path[1]}.sql"
        else:
            line = file.read_text().splitlines()[code.line_number - 1]
            assert file.parent.name == "assets"
            assert line.lstrip().startswith(("@", "def ")), (node.key, line)
        assert Path(page.file_path).is_file()
    assert {node.group_name for node in graph.asset_nodes} <= catalogue.PAGES.keys()


def test_every_job_schedule_sensor_and_resource_is_described(settings: Settings) -> None:
    repository = build_definitions(settings).get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    described = [*jobs, *repository.schedule_defs, *repository.sensor_defs]
    assert [one.name for one in described if len(one.description or "") < 20] == []
    assert repository.get_top_level_resources()["run"].description


def test_every_check_says_what_must_hold_and_what_to_do(graph: Any) -> None:
    specs = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert len(specs) > 200
    for spec in specs:
        assert spec.description, spec.name
        assert "{" not in spec.description, spec.description
        assert check_words.ADVICE in spec.description or not spec.name.startswith(("grain", "complete", "between"))


@pytest.mark.parametrize(
    ("name", "kwargs", "words"),
    [
        ("grain", {"columns": ["as_of_date", "customer_id"]}, "Each row has its own as_of_date, customer_id;"),
        ("between", {"column_name": "value", "lowest": 0, "highest": 1}, "value is between 0 and 1."),
        ("between", {"column_name": "value", "lowest": 20}, "value is at least 20."),
        ("accepted_values", {"column_name": "level", "values": ["on", "off"]}, "level is one of: on, off."),
        ("relationships", {"column_name": "id", "field": "id", "to": "ref('dim_x')"}, "Every id is a id of dim_x."),
        ("adds_up_to", {"column_name": "net_amount", "to": "source('ml', 'x')"}, "adds up to that of ml.x, to the"),
        ("of_our_own", {}, "No row is found by its query."),
    ],
)
def test_a_generic_test_is_put_into_words(name: str, kwargs: dict[str, Any], words: str) -> None:
    told = check_words.rule({"description": "", "test_metadata": {"name": name, "kwargs": kwargs}})
    assert words in told
    assert told.endswith(check_words.ADVICE)


def test_a_failed_check_says_how_many_rows_what_to_do_and_by_which_query(settings: Settings, tmp_path: Path) -> None:
    test = {
        "description": "Two rows have one key. Look for a file that came twice.",
        "package_name": "clientele",
        "original_file_path": "tests/no_twins.sql",
        "path": "no_twins.sql",
    }
    aside = settings.model_copy(update={"data_dir": tmp_path})
    query = aside.dbt_target_dir / "compiled" / "clientele" / "tests" / "no_twins.sql"
    query.parent.mkdir(parents=True)
    query.write_text("select 1\n")
    seen = {
        "unique_id": dg.MetadataValue.text("test.no_twins"),
        "dagster_dbt/failed_row_count": dg.MetadataValue.int(3),
    }
    told = check_words.failed(dg.AssetCheckResult(passed=False, metadata=seen), {"test.no_twins": test}, aside)
    assert told.description == "3 rows fail. Two rows have one key. Look for a file that came twice."
    assert told.metadata["query"] == dg.MetadataValue.md("In `warehouse.duckdb`:\n\n```sql\nselect 1\n```")
    assert not told.passed


def test_a_blocked_run_says_so_in_the_ui(later_runs: dict[str, Finished]) -> None:
    with dg.DagsterInstance.from_config(str(later_runs["blocked"].settings.dagster_home)) as instance:
        (run, *_) = instance.get_runs(limit=1)
        events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    checks = [entry.get_dagster_event().asset_check_evaluation_data for entry in events]
    (broken,) = [check for check in checks if not check.passed]
    assert broken.description is not None
    assert broken.description.startswith("1 rows fail. Each row has its own entity, source_file, row_number")
    assert "from" in str(broken.metadata["query"].value)


COLUMNS = {
    "marts.fct_transactions": {"customer_id": "VARCHAR", "net_amount": "DECIMAL(18,4)", "occurred_at": "TIMESTAMP"},
    "marts.dim_customers": {"customer_id": "VARCHAR", "city": "VARCHAR"},
}
SQL = """
with sales as (select * from "warehouse"."marts"."fct_transactions"),
spent as (select customer_id, sum(net_amount) as net_amount, count(*) as n from sales group by customer_id)
select spent.customer_id, upper(c.city) as town, spent.net_amount / n as average_amount, 1 as one
from spent left join "warehouse"."marts"."dim_customers" as c on spent.customer_id = c.customer_id
"""


def test_a_column_is_traced_through_ctes_to_the_columns_that_it_is_made_of() -> None:
    assert sources(SQL, COLUMNS) == {
        "customer_id": [["marts", "fct_transactions", "customer_id"]],
        "town": [["marts", "dim_customers", "city"]],
        "average_amount": [["marts", "fct_transactions", "net_amount"]],
        "one": [],
    }


def test_lineage_is_worked_out_again_only_where_sql_or_columns_changed(tmp_path: Path) -> None:
    compiled = tmp_path / "compiled" / "clientele" / "models" / "one.sql"
    compiled.parent.mkdir(parents=True)
    compiled.write_text(SQL)
    node = {
        "unique_id": "model.clientele.one",
        "package_name": "clientele",
        "original_file_path": "models/one.sql",
        "depends_on": {"nodes": ["model.clientele.fct_transactions", "model.clientele.dim_customers"]},
    }
    found = lineage([node], target=tmp_path, columns=COLUMNS)["model.clientele.one"]
    (made_of,) = found.deps_by_column["town"]
    assert (made_of.asset_key, made_of.column_name) == (dg.AssetKey(["marts", "dim_customers"]), "city")
    kept = tmp_path / FILE
    kept.write_text(kept.read_text().replace('"city"', '"remembered"'))
    again = lineage([node], target=tmp_path, columns=COLUMNS)["model.clientele.one"]
    assert again.deps_by_column["town"][0].column_name == "remembered"
    compiled.write_text(SQL.replace("upper", "lower"))
    anew = lineage([node], target=tmp_path, columns=COLUMNS)["model.clientele.one"]
    assert anew.deps_by_column["town"][0].column_name == "city"
    compiled.write_text("this is no SQL at (all")
    assert lineage([node], target=tmp_path, columns=COLUMNS)["model.clientele.one"].deps_by_column == {}
    kept.write_text("[]")
    assert lineage([node], target=tmp_path, columns=COLUMNS)


def test_the_lineage_of_reports_leads_to_marts_and_models(first_run: Finished, settings: Settings) -> None:
    seen = metadata(settings, first_run.summary["run_id"])
    made_of = seen["reports.rpt_customer_360"]["dagster/column_lineage"].deps_by_column
    assert [(dep.asset_key.path, dep.column_name) for dep in made_of["churn_probability"]] == [
        (["ml", "churn_scores"], "churn_probability")
    ]
    assert [dep.asset_key.path for dep in made_of["net_amount"]] == [["marts", "dim_customers"]]
    models = [name for name in seen if name.split(".")[0] in ("staging", "intermediate", "marts", "quality", "reports")]
    lacking = [name for name in models if "dagster/column_lineage" not in seen[name]]
    assert lacking == ["quality.personal_data"]
