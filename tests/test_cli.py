import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from orchestration.answers import contest, preview
from orchestration.cli.options import screen
from orchestration.settings import PROJECT_DIR, Settings
from tests.commands import CLIENTELE, Finished, clientele, environment, hashes
from tests.shop import SOURCE

PRODUCTS_ONLY = """
name: tiny_shop
timezone: Europe/Berlin
currency: EUR
entities:
  products: {files: products.csv, columns: {product_id: sku}}
"""


def refused(done: Finished, *words: str) -> None:
    """Exit code 2, a sentence on stderr with these words, nothing on stdout and no traceback."""
    assert (done.exit_code, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr.replace("\n", " ")


def test_what_is_piped_has_no_blanks_at_the_ends_of_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("table", "rows", box=None)
    table.add_row("marts.dim_customers", "700")
    table.add_row("a  b", "")
    screen().print("Tables", table, sep="\n")
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines()] == ["Tables", "table", "marts.dim_customers", "a"]
    assert told.splitlines() == [line.rstrip() for line in told.splitlines()]


def test_json_is_one_object_on_stdout_and_everything_else_is_on_stderr(first_run: Finished) -> None:
    assert first_run.exit_code == 0, first_run.stderr
    assert first_run.stdout.lstrip().startswith("{")
    assert first_run.summary["customer_count"] == 700
    assert first_run.summary["rejected_row_count"] == 20
    assert Path(first_run.summary["database"]).is_file()
    assert "A shop that only tests visit." in first_run.stderr  # the source's notice
    assert "marts.dim_customers" in first_run.stderr  # progress, as plain lines


def test_a_blocking_check_that_fails_ends_with_1_and_publishes_nothing(
    first_run: Finished, later_runs: dict[str, Finished]
) -> None:
    blocked = later_runs["blocked"]
    assert (blocked.exit_code, blocked.stdout) == (1, "")
    assert "grain_rejected_rows" in blocked.stderr
    assert "Nothing was published" in blocked.stderr
    assert "Traceback" not in blocked.stderr
    published = blocked.settings.published_dir
    assert hashes(published / "current") == hashes(first_run.settings.published_dir / "current")
    assert [folder.name for folder in (published / "versions").iterdir()] == [first_run.summary["run_id"]]


def test_status_says_what_is_published_and_that_the_last_run_failed(later_runs: dict[str, Finished]) -> None:
    places = {"source": later_runs["blocked"].settings.source, "data_dir": later_runs["blocked"].settings.data_dir}
    done = clientele("status", "--json", **places)
    assert done.exit_code == 0, done.stderr
    assert done.summary["last_run"]["outcome"] == "not published"
    assert done.summary["published"]["customer_count"] == 700
    shown = clientele("status", **places)
    assert "not published" in shown.stdout
    assert "tiny_shop as of 2026-06-30" in shown.stdout


def test_status_before_the_first_run_says_what_to_do(tmp_path: Path, settings: Settings) -> None:
    done = clientele("status", source=settings.source, data_dir=tmp_path / "none")
    assert done.exit_code == 0, done.stderr
    assert "No run yet." in done.stdout
    assert "`clientele run` publishes" in done.stdout
    assert not (tmp_path / "none").exists()


def test_an_as_of_before_the_first_row_is_refused_and_what_was_published_stays(
    first_run: Finished, later_runs: dict[str, Finished]
) -> None:
    folder = later_runs["blocked"].settings  # its last run published nothing either
    done = clientele("run", "--as-of", "2019-12-31", source=folder.source, data_dir=folder.data_dir)
    refused(done, "2019-12-31 is before the first transaction")
    assert hashes(folder.published_dir / "current") == hashes(first_run.settings.published_dir / "current")


def test_a_text_file_named_parquet_is_refused_and_what_was_published_stays(
    first_run: Finished, later_runs: dict[str, Finished], tmp_path: Path
) -> None:
    folder = later_runs["blocked"].settings
    shutil.copytree(folder.source.parent, tmp_path, dirs_exist_ok=True)
    (tmp_path / "transactions-3.parquet").write_text("this is text")
    (tmp_path / "tiny_shop.yml").write_text(SOURCE.replace("transactions-*.csv", "transactions-*"))
    done = clientele("run", "--json", source=tmp_path / "tiny_shop.yml", data_dir=folder.data_dir)
    refused(
        done, "entities.transactions: transactions-3.parquet", "cannot be read as a Parquet file", "Correct the file"
    )
    assert hashes(folder.published_dir / "current") == hashes(first_run.settings.published_dir / "current")


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ("transactions-*.csv", "sales-*.csv", ["entities.transactions.files", "'sales-*.csv'"]),
        ("currency:", "curency:", ["curency: unknown key; did you mean 'currency'?"]),
        ("  transactions:", "  trnsactions:", ["entities.trnsactions: unknown entity; did you mean 'transactions'?"]),
        (SOURCE, PRODUCTS_ONLY, ["one of transactions, subscriptions, campaign_contacts, feedback is required"]),
    ],
    ids=["missing file", "typo in a key", "typo in an entity", "no usable entity"],
)  # fmt: skip
def test_a_wrong_source_is_refused_before_anything_is_made(
    tmp_path: Path, good: str, bad: str, words: list[str]
) -> None:
    source = tmp_path / "shop.yml"
    source.write_text(SOURCE.replace(good, bad))
    refused(clientele("run", "--json", source=source, data_dir=tmp_path / "data"), "shop.yml", *words)
    assert not (tmp_path / "data").exists()


def test_a_missing_source_file_is_refused(tmp_path: Path) -> None:
    done = clientele("run", source=tmp_path / "none.yml", data_dir=tmp_path / "data")
    refused(done, "none.yml does not exist", "--source")


def test_a_day_that_is_none_is_refused(settings: Settings, tmp_path: Path) -> None:
    done = clientele("run", "--as-of", "someday", source=settings.source, data_dir=tmp_path / "data")
    refused(done, "as-of date 'someday': write a day as YYYY-MM-DD")


def test_a_setting_that_is_none_is_refused_by_the_name_of_its_variable(settings: Settings, tmp_path: Path) -> None:
    done = clientele("status", source=settings.source, data_dir=tmp_path / "data", threads="many")
    refused(done, "CLIENTELE_THREADS: ")


def test_an_unknown_option_is_refused(settings: Settings, tmp_path: Path) -> None:
    done = clientele("run", "--as-off", "2026-01-01", source=settings.source, data_dir=tmp_path / "data")
    refused(done, "--as-off")


def test_check_says_what_the_data_can_answer_and_keeps_nothing(settings: Settings, tmp_path: Path) -> None:
    done = clientele("check", "--json", source=settings.source, data_dir=tmp_path / "data")
    assert done.exit_code == 0, done.stderr
    report = done.summary
    assert {row["source_file"]: row["row_count"] for row in report["files"]}["products.csv"] == 30
    capabilities = {row["capability"]: row for row in report["capabilities"]}
    assert capabilities["churn"]["is_available"]
    assert capabilities["clv_on_margin"]["reason"].startswith("neither transactions.cost_amount nor")
    assert capabilities["churn_model_30_days"]["level"] == "trainable"
    assert report["in_force"]["models"]["clv"]["horizons_days"] == [60]
    assert not (tmp_path / "data").exists()
    shown = io.StringIO()
    preview.show(report, Console(file=shown, width=160))
    for words in (
        "guest",
        "churn, 30 days",
        "AUC ±",
        "clv_on_margin",
        "strategies: [rfm, lifecycle, value,",
        "rejected_row_share",
    ):
        assert words in shown.getvalue()


def test_check_names_the_field_that_does_not_fit_its_file(settings: Settings, tmp_path: Path) -> None:
    shutil.copytree(settings.source.parent, tmp_path, dirs_exist_ok=True)
    (tmp_path / "tiny_shop.yml").write_text(SOURCE.replace("amount: paid", "amount: payed"))
    done = clientele("check", source=tmp_path / "tiny_shop.yml", data_dir=tmp_path / "data")
    refused(done, "entities.transactions.columns.amount", "no column 'payed'; did you mean 'paid'?")


def test_the_summary_for_people_and_the_one_for_machines_say_the_same(first_run: Finished) -> None:
    shown = clientele("status", source=first_run.settings.source, data_dir=first_run.settings.data_dir).stdout
    assert f"{first_run.summary['net_amount']:,.2f}" in shown
    assert "14,565, 20 of them rejected" in shown
    status = clientele("status", "--json", source=first_run.settings.source, data_dir=first_run.settings.data_dir)
    assert first_run.summary == json.loads(status.stdout)["published"]


def test_evaluate_shows_every_candidate_beside_every_rule_per_cut_off(first_run: Finished) -> None:
    report = contest.report(first_run.settings.warehouse_file, source="tiny_shop")
    screen = io.StringIO()
    contest.show(report, Console(file=screen, width=100))
    shown = screen.getvalue()
    for model, rules in (("churn, 30 days", "recency frequency own_rhythm base_rate"), ("clv, ", "spend_per_day")):
        assert model in shown
        for rule in rules.split():
            assert rule in shown
    days = {str(row["cutoff_date"]) for row in report["evaluations"] if row["metric"] in ("auc", "rmse")}
    assert len(days) >= 3
    assert all(f"tested on {day}" in shown for day in days)
    assert "* " in shown or "rule" in shown
    compared = {(row["candidate"], row["metric"]) for row in report["comparisons"]}
    assert {("logistic_regression", "AUC"), ("logistic_regression", "Brier score")} <= compared


def test_evaluate_refuses_what_run_refuses(tmp_path: Path) -> None:
    refused(clientele("evaluate", source=tmp_path / "none.yml", data_dir=tmp_path / "data"), "none.yml")
    source = tmp_path / "tiny_shop.yml"
    source.write_text(SOURCE)
    refused(clientele("evaluate", "--as-of", "soon", source=source, data_dir=tmp_path / "data"), "soon")


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], ("dagster", "dbt", "polars", "duckdb", "pydantic", "sklearn")),
        (["status"], ("dagster", "dbt", "polars", "numpy", "sklearn")),
    ],
)
def test_what_answers_at_once_loads_no_library_that_it_does_not_need(
    settings: Settings, words: list[str], heavy: tuple[str, ...]
) -> None:
    source = PROJECT_DIR / "sources" / "cdnow.yml"  # without conditions on customers, which Polars would have to read
    given = environment(source=source, data_dir=settings.data_dir)
    told = subprocess.run(
        [sys.executable, "-X", "importtime", CLIENTELE, *words], env=given, capture_output=True, text=True, check=True
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.stderr.splitlines()}
    assert loaded & {"typer"}
    assert loaded & {*heavy} == set()
