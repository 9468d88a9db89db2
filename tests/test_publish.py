import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from orchestration.errors import CheckError
from orchestration.publishing.generations import DATABASE, PUBLIC_SCHEMAS, read_manifest
from orchestration.publishing.publish import publish
from orchestration.runs.run import Run
from orchestration.warehouse import reader
from tests.runs import shop_run

AS_OF = date(2026, 6, 30)
COMMENTS = {"marts.letters": {"description": "One row per letter.", "columns": {"letter": 'It\'s "one"; of 26.'}}}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = shop_run(tmp_path)
    run.warehouse.write("marts.letters", pl.DataFrame({"letter": ["a", "b", None], "share": [0.1 + 0.2, 0.5, None]}))
    run.warehouse.write("staging.private", pl.DataFrame({"letter": ["a"]}))
    return run


def publish_letters(run: Run, run_id: str, *letters: str) -> Path:
    run.warehouse.write("marts.letters", pl.DataFrame({"letter": letters, "share": [0.5] * len(letters)}))
    return publish(replace(run, run_id=run_id), as_of=AS_OF, comments=COMMENTS).folder


def digest(run: Run, run_id: str, frame: pl.DataFrame) -> str:
    run.warehouse.write("marts.letters", frame)
    return str(publish(replace(run, run_id=run_id), as_of=AS_OF, comments={}).tables["marts.letters"]["hash"])


def letters(database: Path) -> list[str]:
    with reader(database) as connection:
        return [row[0] for row in connection.execute("select letter from marts.letters order by 1").fetchall()]


def test_a_version_holds_the_public_schemas_alone(run: Run) -> None:
    folder = publish(run, as_of=AS_OF, comments=COMMENTS).folder
    with reader(folder / DATABASE) as connection:
        schemas = connection.execute("select distinct schema_name from information_schema.schemata").fetchall()
        tables = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
    assert {row[0] for row in schemas} >= set(PUBLIC_SCHEMAS)
    assert tables == [("marts.letters",)]


def test_the_parquet_mirror_holds_the_same_rows(published: Path) -> None:
    manifest = read_manifest(published)
    assert manifest is not None
    mirrored = {f"{file.parent.name}.{file.stem}": file for file in published.glob("parquet/*/*.parquet")}
    assert set(mirrored) == set(manifest["tables"])
    with reader(published / DATABASE) as connection:
        for name, file in mirrored.items():
            table = connection.sql(f"from {name}").pl()
            assert table.height == manifest["tables"][name]["row_count"]
            assert pl.read_parquet(file).equals(table), name


def test_the_manifest_says_what_was_published_from_what_and_by_what(published: Path) -> None:
    manifest = read_manifest(published)
    assert manifest is not None
    assert manifest["run_id"] == published.resolve().name
    assert (manifest["source"], manifest["as_of_date"], manifest["schema_version"]) == ("tiny_shop", "2026-06-30", 1)
    assert {"python", "duckdb", "dbt-core", "dagster"} <= set(manifest["software"])


def test_a_hash_sees_rows_and_not_their_order_and_every_changed_value(run: Run) -> None:
    first, shuffled, *others = (
        digest(run, f"run-{number}", pl.DataFrame({"letter": list(letters)}, schema={"letter": pl.String}))
        for number, letters in enumerate(("ab", "ba", "abb", "abbb", "ac", "", ["ab"], ["a", None]))
    )
    assert first == shuffled
    assert len({first, *others}) == 7


def test_a_double_counts_to_nine_places_and_a_clock_not_at_all(run: Run) -> None:
    def row(value: float, hour: int) -> pl.DataFrame:
        return pl.DataFrame({"value": [value], "trained_at": [datetime(2026, 1, 1, hour)]})  # noqa: DTZ001 - as stored

    assert digest(run, "run-1", row(0.3, 1)) == digest(run, "run-2", row(0.1 + 0.2, 2))
    assert digest(run, "run-3", row(0.3, 1)) != digest(run, "run-4", row(0.3 + 1e-8, 1))


def test_tables_and_columns_keep_their_comments(run: Run, published: Path) -> None:
    publish(run, as_of=AS_OF, comments=COMMENTS)
    with reader(run.settings.published_dir / "current" / DATABASE) as connection:
        assert connection.execute("select comment from duckdb_tables()").fetchall() == [("One row per letter.",)]
        found = connection.execute("select comment from duckdb_columns() where column_name = 'letter'").fetchall()
        assert found == [('It\'s "one"; of 26.',)]
    with reader(published / DATABASE) as connection:
        tables = connection.execute("select table_name, comment from duckdb_tables()").fetchall()
        columns = connection.execute(
            "select table_name, column_name from duckdb_columns() where comment is null and not internal"
        ).fetchall()
    assert {name for name, comment in tables if not (comment or "").startswith("One row")} == set()
    assert {name for name in columns if name != ("dim_customers", "loyalty_tier")} == set()


def test_the_file_opens_in_every_client_since_one_point_zero(published: Path) -> None:
    with duckdb.connect(str(published / DATABASE), read_only=True) as connection:
        name, tags = connection.execute(
            "select database_name, tags from duckdb_databases() where not internal"
        ).fetchall()[0]
    assert name == "clientele"
    assert tags["storage_version"].startswith("v1.0.0")


def test_an_open_reader_keeps_its_version_and_a_new_one_sees_the_new(run: Run) -> None:
    publish_letters(run, "run-1", "a")
    current = run.settings.published_dir / "current"
    with reader(current / DATABASE) as connection:
        publish_letters(run, "run-2", "b")
        assert connection.execute("select letter from marts.letters").fetchall() == [("a",)]
        assert letters(current / DATABASE) == ["b"]
    assert current.is_symlink()
    assert not Path(current.readlink()).is_absolute()  # the data folder may be moved as a whole


def test_three_versions_stay(run: Run) -> None:
    for number in range(1, 6):
        publish_letters(run, f"run-{number}", "a")
    versions = run.settings.published_dir / "versions"
    assert sorted(folder.name for folder in versions.iterdir()) == ["run-3", "run-4", "run-5"]


def test_a_version_built_aside_does_not_become_current(run: Run) -> None:
    publish_letters(run, "run-1", "a")
    aside = publish_letters(replace(run, is_scratch=True), "run-2", "b")
    assert letters(aside / DATABASE) == ["b"]
    assert letters(run.settings.published_dir / "current" / DATABASE) == ["a"]


def test_a_copy_that_differs_is_not_published_and_the_last_version_stays(run: Run) -> None:
    publish_letters(run, "run-1", "a")
    with run.warehouse.connect() as connection:  # what it holds is another thing at every look
        connection.execute("create view marts.restless as select uuid() as id")
    with pytest.raises(CheckError, match=r"marts.restless differ after copying. The last version stays."):
        publish_letters(run, "run-2", "b")
    published = run.settings.published_dir
    assert letters(published / "current" / DATABASE) == ["a"]
    assert [folder.name for folder in (published / "versions").glob("[!.]*")] == ["run-1"]


def test_what_a_killed_publication_left_is_built_anew(run: Run) -> None:
    left = run.settings.published_dir / "versions" / ".run-1"
    left.mkdir(parents=True)
    (left / DATABASE).write_bytes(b"half a file")
    (run.settings.published_dir / ".current").symlink_to("versions/nowhere")
    folder = publish_letters(run, "run-1", "a")
    assert letters(folder / DATABASE) == ["a"]
    assert json.loads((run.settings.published_dir / "current" / "manifest.json").read_text())["run_id"] == "run-1"
