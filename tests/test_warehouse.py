import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ml.features import build_features
from ml.schemas import TRANSACTIONS
from orchestration.errors import ClienteleError
from orchestration.settings import Settings
from orchestration.warehouse import STORAGE_VERSION, DatabaseError, Warehouse, literal, quoted, reader, sandbox


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse.duckdb", settings=Settings(data_dir=tmp_path))


def test_frames_are_written_by_column_name_and_not_by_position(warehouse: Warehouse) -> None:
    parts = [pl.DataFrame({"a": [1], "b": ["x"]}), pl.DataFrame({"b": ["y"], "a": [2]})]
    assert warehouse.write("ml.letters", parts) == 2
    assert warehouse.read("select a, b from ml.letters order by a").rows() == [(1, "x"), (2, "y")]


def test_writing_again_replaces_rows_and_columns(warehouse: Warehouse) -> None:
    warehouse.write("ml.letters", pl.DataFrame({"a": [1, 2]}))
    warehouse.write("ml.letters", pl.DataFrame({"b": ["x"]}))
    assert warehouse.read("from ml.letters").to_dict(as_series=False) == {"b": ["x"]}


def test_empty_frames_make_a_typed_table_without_rows(warehouse: Warehouse) -> None:
    empty = pl.DataFrame(schema={"day": pl.Date, "amount": pl.Decimal(18, 4)})
    assert warehouse.write("ml.nothing", [empty, empty]) == 0
    assert warehouse.read("from ml.nothing").schema == empty.schema
    assert warehouse.write("ml.nothing", [empty, pl.DataFrame({"day": [date(2026, 1, 1)], "amount": [None]})]) == 1


def test_a_write_that_fails_half_way_leaves_the_old_rows(warehouse: Warehouse) -> None:
    warehouse.write("ml.letters", pl.DataFrame({"a": [1]}))
    with pytest.raises(DatabaseError):
        warehouse.write("ml.letters", [pl.DataFrame({"a": [2]}), pl.DataFrame({"unknown": [3]})])
    assert warehouse.read("from ml.letters").rows() == [(1,)]


def test_customers_are_mapped_whole_each_in_one_bucket(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.write(
        "marts.sales", pl.DataFrame({"customer_id": [f"c{n % 50}" for n in range(500)], "line": range(500)})
    )
    twenty = Warehouse(warehouse.file, settings=Settings(data_dir=tmp_path, buckets=20))
    seen = [bucket["customer_id"].unique().to_list() for bucket in twenty.map_customers("marts.sales", lambda b: b)]
    assert len(seen) == 20
    assert sorted(customer for bucket in seen for customer in bucket) == sorted(f"c{n}" for n in range(50))


def test_buckets_are_ranges_of_customers_about_equal_and_nobody_is_in_none(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    ids = [None, *(f"c{number:04}" for number in range(1000))]
    warehouse.write("marts.visits", pl.DataFrame({"customer_id": ids}))
    four = Warehouse(warehouse.file, settings=Settings(data_dir=tmp_path, buckets=4))
    seen = [bucket["customer_id"].sort().to_list() for bucket in four.map_customers("marts.visits", lambda b: b)]
    assert [customer for bucket in seen for customer in bucket] == ids[1:]
    assert [len(bucket) for bucket in seen] == [250] * 4  # all are sampled where they are few


def test_of_too_many_customers_some_are_taken_whole_and_always_the_same(warehouse: Warehouse) -> None:
    rows = pl.DataFrame({"customer_id": [f"c{n % 2000}" for n in range(6000)], "line": range(6000)})
    warehouse.write("marts.sales", rows)

    def customers(at_most: int) -> pl.DataFrame:
        return pl.concat(warehouse.map_customers("marts.sales", lambda bucket: bucket, at_most=at_most))

    some = customers(500)["customer_id"].value_counts()
    assert 400 < some.height < 600
    assert set(some["count"]) == {3}
    warehouse.write("marts.sales", rows.reverse())
    assert set(customers(500)["customer_id"]) == set(some["customer_id"])
    assert customers(2000).height == 6000


def test_two_buckets_or_twenty_give_the_same_features(settings: Settings) -> None:
    def features(buckets: int) -> pl.DataFrame:
        warehouse = Warehouse(settings.warehouse_file, settings=settings.model_copy(update={"buckets": buckets}))
        frames = warehouse.map_customers(
            "marts.fct_transactions",
            lambda bucket: build_features(bucket, as_of=date(2026, 6, 30)),
            columns=TRANSACTIONS,
            where="customer_id in (select customer_id from marts.dim_customer_permissions where is_analytics_allowed)",
        )
        return pl.concat(frames).sort("customer_id")

    kept = Warehouse(settings.warehouse_file, settings=settings).read("from ml.customer_features order by customer_id")
    assert kept.height == 699  # of 700 customers one refuses analytics
    assert features(2).equals(kept)
    assert features(20).equals(kept)


def test_the_working_file_has_the_storage_that_old_clients_open(warehouse: Warehouse) -> None:
    warehouse.write("ml.letters", pl.DataFrame({"a": [1]}))
    tags = warehouse.read("select tags['storage_version'] as v from duckdb_databases() where not internal")
    assert tags.item().startswith(STORAGE_VERSION)


def test_the_sandbox_reads_and_writes_what_it_was_given_and_nothing_else(tmp_path: Path) -> None:
    given, other, folder = tmp_path / "given.csv", tmp_path / "other.csv", tmp_path / "out"
    folder.mkdir()
    for file in (given, other):
        file.write_text("a\n1\n")
    with sandbox(files=[given], folders=[folder]) as connection:
        assert connection.execute(f"from read_csv({literal(str(given))})").fetchall() == [(1,)]
        connection.execute(f"copy (select 1) to {literal(str(folder / 'a.parquet'))}")
        for statement in (
            f"from read_csv({literal(str(other))})",
            f"copy (select 1) to {literal(str(tmp_path / 'b.parquet'))}",
            f"copy (select 1) to {literal(str(folder / '../c.parquet'))}",
            f"attach {literal(str(tmp_path / 'd.duckdb'))}",
            "set enable_external_access = true",
            "set allowed_directories = ['/']",
            "install httpfs",
        ):
            with pytest.raises(DatabaseError):
                connection.execute(statement)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["given.csv", "other.csv", "out"]


def test_a_reader_of_a_published_file_can_neither_write_nor_leave_it(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.write("ml.letters", pl.DataFrame({"a": [1]}))
    with reader(warehouse.file) as connection:
        assert connection.execute("from ml.letters").fetchall() == [(1,)]
        for statement in (
            "insert into ml.letters values (2)",
            f"copy ml.letters to {literal(str(tmp_path / 'out.csv'))}",
            "from read_text('/etc/hostname')",
            "set enable_external_access = true",
        ):
            with pytest.raises(DatabaseError):
                connection.execute(statement)


@pytest.mark.parametrize("name", ["it's", "'; drop table t; --", 'say "hi"', "ä\n\\"])
def test_hostile_names_and_texts_are_only_names_and_texts(warehouse: Warehouse, name: str) -> None:
    frame = warehouse.read(f"select {literal(name)} as {quoted(name)}")
    assert frame.to_dict(as_series=False) == {name: [name]}


HOLD = """
import duckdb, sys, time
with duckdb.connect(sys.argv[1]):
    print("open", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def held(file: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Another program that has the file open for so long."""
    command = [sys.executable, "-c", HOLD, str(file), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_a_file_that_another_program_has_open_is_waited_for(warehouse: Warehouse) -> None:
    warehouse.write("ml.x", pl.DataFrame({"a": [1]}))
    with held(warehouse.file, 0.5):
        assert warehouse.row_count("ml.x") == 1


def test_a_program_that_does_not_let_go_is_named(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.warehouse.PAUSES", (0.01, 0.02))
    with held(warehouse.file, 60) as other, pytest.raises(ClienteleError, match=rf"\(process {other.pid}\): close it"):
        warehouse.row_count("ml.x")


def test_trouble_other_than_a_lock_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "broken.duckdb").write_text("no database " * 1000)
    started = time.monotonic()
    with pytest.raises(DatabaseError):
        Warehouse(tmp_path / "broken.duckdb", settings=Settings()).row_count("ml.x")
    assert time.monotonic() - started < 2


OPEN = "import duckdb, sys; duckdb.connect(sys.argv[1])"


def is_free(file: Path) -> bool:
    """Whether another program can open the file."""
    opened = subprocess.run([sys.executable, "-c", OPEN, str(file)], capture_output=True, text=True, check=False)
    assert opened.returncode == 0 or "Could not set lock" in opened.stderr
    return opened.returncode == 0


def test_a_file_that_is_kept_open_is_let_go_of_when_asked_and_at_the_end(warehouse: Warehouse) -> None:
    with warehouse.kept_open():
        warehouse.write("ml.x", pl.DataFrame({"a": [1, 2]}))
        assert warehouse.row_count("ml.x") == 2
        assert not is_free(warehouse.file)
        warehouse.let_go()
        assert is_free(warehouse.file)
        assert warehouse.row_count("ml.x") == 2
        assert not is_free(warehouse.file)
    assert is_free(warehouse.file)
