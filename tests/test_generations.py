from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from orchestration.errors import CheckError, ClienteleError, InputError
from orchestration.intake.source_file import load_source
from orchestration.publishing import publish as publishing
from orchestration.publishing.generations import DATABASE, current, generations, roll_back
from orchestration.publishing.publish import breaking_changes, publish
from orchestration.runs.run import Run
from orchestration.settings import Settings
from orchestration.warehouse import reader
from tests.runs import shop_run
from tests.shop import SOURCE

AS_OF = date(2026, 6, 30)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return shop_run(tmp_path)


def publish_letter(run: Run, number: int, **columns: object) -> Path:
    run.warehouse.write("marts.letters", pl.DataFrame({"letter": [f"letter {number}"]} | columns))
    return publish(replace(run, run_id=f"run-{number}"), as_of=AS_OF, comments={}).folder


def letter(settings: Settings) -> str:
    with reader(settings.published_dir / "current" / DATABASE) as connection:
        return str(connection.execute("select letter from marts.letters").fetchall()[0][0])


def test_without_a_name_one_goes_back_to_the_version_before(run: Run) -> None:
    for number in (1, 2, 3):
        publish_letter(run, number)
    assert [generation.run_id for generation in generations(run.settings)] == ["run-1", "run-2", "run-3"]
    assert roll_back(run.settings).run_id == "run-2"
    assert letter(run.settings) == "letter 2"
    assert roll_back(run.settings).run_id == "run-1"
    with pytest.raises(InputError, match=r"No version to go back to. Kept:\n- run-2 as of 2026-06-30"):
        roll_back(run.settings)


def test_any_kept_version_can_be_named_and_the_next_run_publishes_a_new_one(run: Run) -> None:
    for number in (1, 2, 3):
        publish_letter(run, number)
    roll_back(run.settings, run_id="run-1")
    assert roll_back(run.settings, run_id="run-3").run_id == "run-3"
    with pytest.raises(InputError, match="named run-9"):
        roll_back(run.settings, run_id="run-9")
    roll_back(run.settings, run_id="run-1")
    publish_letter(run, 4)
    assert letter(run.settings) == "letter 4"


def test_a_version_built_aside_is_current_only_when_it_is_asked_for_by_name(run: Run) -> None:
    publish_letter(run, 1)
    publish_letter(replace(run, is_scratch=True), 2)
    publish_letter(run, 3)
    assert roll_back(run.settings).run_id == "run-1"
    assert roll_back(run.settings, run_id="run-2").run_id == "run-2"


def test_versions_built_aside_are_counted_apart_and_what_a_kill_left_goes(run: Run) -> None:
    versions = run.settings.published_dir / "versions"
    (versions / ".run-x").mkdir(parents=True)
    publish_letter(run, 1)
    for number in range(2, 7):
        publish_letter(replace(run, is_scratch=True), number)
    assert sorted(folder.name for folder in versions.iterdir()) == ["run-1", "run-4", "run-5", "run-6"]


def test_the_version_that_bi_reads_stays_however_old_it_is(run: Run) -> None:
    for number in range(1, 4):
        publish_letter(run, number)
    roll_back(run.settings, run_id="run-1")
    for number in range(4, 6):
        publish_letter(replace(run, is_scratch=True), number)
    assert letter(run.settings) == "letter 1"


def test_a_version_that_is_not_what_was_published_is_not_gone_back_to(run: Run) -> None:
    folder = publish_letter(run, 1)
    publish_letter(run, 2)
    (folder / DATABASE).write_bytes((publish_letter(run, 3) / DATABASE).read_bytes())
    with pytest.raises(ClienteleError, match=r"marts.letters differ from what was published"):
        roll_back(run.settings, run_id="run-1")
    (folder / DATABASE).write_bytes(b"no database")
    with pytest.raises(ClienteleError, match="cannot be read"):
        roll_back(run.settings, run_id="run-1")
    assert letter(run.settings) == "letter 3"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\x00"])
def test_a_broken_manifest_is_none_and_the_next_publication_heals_it(run: Run, content: bytes) -> None:
    (publish_letter(run, 1) / "manifest.json").write_bytes(content)
    assert current(run.settings) is None
    publish_letter(run, 2)
    found = current(run.settings)
    assert found is not None
    assert found.run_id == "run-2"


def test_a_table_or_column_that_is_gone_or_of_another_type_breaks_queries_and_a_new_one_does_not() -> None:
    before = {"marts.a": {"x": "BIGINT", "y": "VARCHAR"}, "ml.b": {"z": "DATE"}}
    now = {"marts.a": {"x": "DOUBLE", "w": "DATE"}, "marts.c": {"v": "DATE"}}
    assert breaking_changes(before, now) == [
        "marts.a.x was BIGINT and is DOUBLE",
        "marts.a.y is gone",
        "ml.b is gone",
    ]
    assert breaking_changes(before, before) == []


def test_a_breaking_change_is_published_only_under_a_new_schema_version(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_letter(run, 1, share=[0.5])
    with pytest.raises(CheckError, match=r"marts.letters.share is gone. The last version stays"):
        publish_letter(run, 2)
    assert letter(run.settings) == "letter 1"
    monkeypatch.setattr(publishing, "SCHEMA_VERSION", publishing.SCHEMA_VERSION + 1)
    publish_letter(run, 3)
    assert letter(run.settings) == "letter 3"


def test_columns_that_a_source_file_declares_are_its_own_to_change(run: Run) -> None:
    def customers(number: int, attribute: str, source: str) -> None:
        run.settings.source.write_text(source)
        this = replace(run, run_id=f"run-{number}", source=load_source(run.settings.source))
        run.warehouse.write("marts.dim_customers", pl.DataFrame({"customer_id": ["a"], attribute: ["gold"]}))
        publish(this, as_of=AS_OF, comments={})

    (declared,) = load_source(run.settings.source).attributes
    customers(1, declared, SOURCE)
    customers(2, "rank", SOURCE.replace(declared, "rank"))
    assert [generation.run_id for generation in generations(run.settings)] == ["run-1", "run-2"]
