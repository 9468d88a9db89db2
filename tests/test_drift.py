"""Deliveries over time: new, changed, renamed, repeated and missing files, and columns that drift."""

import os
import random
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from orchestration.dbt.assets import command
from orchestration.errors import InputError
from orchestration.ingest import register
from orchestration.intake import loads as record
from orchestration.intake.entities import ENTITIES
from orchestration.intake.rules import Rules
from orchestration.warehouse import Warehouse
from tests.inbox import COLUMNS, HEADER, Inbox

DAY = HEADER + "\n1,2024-01-01,5,a\n2,2024-01-01,6,b\n"
NEXT = HEADER + "\n3,2024-01-02,7,c\n1,2024-01-01,5,a\n"


def outcomes(shop: Inbox) -> dict[str, str]:
    return {load.source_file: load.outcome for load in shop.ingest()}


def ids(shop: Inbox) -> list[str]:
    return sorted(row[0] for row in shop.raw("transaction_id"))


def test_an_unchanged_file_is_not_read_again_and_a_changed_one_replaces_its_rows(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    shop.put(DAY)
    assert outcomes(shop) == {"in/a.csv": "loaded"}
    assert outcomes(shop) == {"in/a.csv": "unchanged"}
    shop.put(DAY + "9,2024-01-01,1,z\n")
    assert outcomes(shop) == {"in/a.csv": "changed"}
    assert ids(shop) == ["1", "2", "9"]
    shop.put(DAY)
    assert outcomes(shop) == {"in/a.csv": "changed"}
    assert ids(shop) == ["1", "2"]
    assert len([*shop.settings.raw_dir.glob("transactions/*")]) == 2, "content received before is not stored twice"


def test_a_moment_in_the_past_knows_what_had_been_received_by_then(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    shop.put(DAY)
    (first,) = shop.ingest()
    shop.put(DAY + "9,2024-01-01,1,z\n")
    shop.put(HEADER + "\n7,2024-01-01,1,z\n", "b.csv")
    shop.ingest()
    moment = datetime.fromisoformat(first.received_at)
    assert [row[0] for row in shop.raw("transaction_id")] == ["1", "2", "9", "7"]
    assert [row[0] for row in shop.raw("transaction_id", known_at=moment)] == ["1", "2"]
    assert shop.raw("transaction_id", known_at=moment - timedelta(microseconds=1)) == []


def test_a_change_that_keeps_size_and_modification_time_is_seen(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    path = shop.put(DAY)
    os.utime(path, (1_000_000, 1_000_000))
    shop.ingest()
    path.write_text(DAY.replace("5,a", "8,a"))
    os.utime(path, (1_000_000, 1_000_000))
    assert outcomes(shop) == {"in/a.csv": "changed"}


def test_a_renamed_file_is_not_loaded_twice_and_later_changes_under_its_new_name(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    path = shop.put(DAY)
    shop.ingest()
    path.rename(shop.inbox / "b.csv")
    assert outcomes(shop) == {"in/b.csv": "renamed"}
    assert ids(shop) == ["1", "2"]
    shop.put(NEXT, "b.csv")
    assert outcomes(shop) == {"in/b.csv": "changed"}
    assert ids(shop) == ["1", "3"]


def test_a_copy_of_a_file_is_not_loaded_and_lives_on_when_the_first_changes(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    shop.put(DAY)
    shop.put(DAY, "copy.csv")
    assert outcomes(shop) == {"in/a.csv": "loaded", "in/copy.csv": "repeated"}
    assert ids(shop) == ["1", "2"]
    shop.put(NEXT)
    assert outcomes(shop) == {"in/a.csv": "changed", "in/copy.csv": "unchanged"}
    assert ids(shop) == ["1", "1", "2", "3"]


def test_a_file_that_is_gone_keeps_its_rows(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    path = shop.put(DAY)
    shop.put(NEXT, "b.csv")
    shop.ingest()
    path.unlink()
    assert outcomes(shop) == {"in/a.csv": "missing", "in/b.csv": "unchanged"}
    assert ids(shop) == ["1", "1", "2", "3"]
    (shop.inbox / "b.csv").unlink()
    assert outcomes(shop) == {"in/a.csv": "missing", "in/b.csv": "missing"}, "an emptied inbox is no error"


def test_a_file_moved_to_another_folder_takes_the_values_of_that_folder(tmp_path: Path) -> None:
    columns = {"transaction_id": "id", "occurred_at": "date", "amount": "amount", "store_id": "store"}
    shop = Inbox(tmp_path, files="in/*/*.csv", columns=columns)
    path = shop.put(DAY, "store=1/a.csv")
    shop.ingest()
    (shop.inbox / "store=2").mkdir()
    path.rename(shop.inbox / "store=2" / "a.csv")
    assert outcomes(shop)["in/store=2/a.csv"] == "renamed"
    assert shop.raw("store_id") == [("2",), ("2",)]


def test_two_parts_may_read_the_same_file(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    shop.put(DAY)
    columns = {"transaction_id": "'x' || id", "occurred_at": "date", "amount": "-amount::int"}
    shop.write([{"files": "in/*", "columns": shop.columns}, {"files": "in/*", "columns": columns}])
    assert outcomes(shop) == {"in/a.csv": "loaded", "in/a.csv (part 2)": "loaded"}
    assert ids(shop) == ["1", "2", "x1", "x2"]
    assert set(outcomes(shop).values()) == {"unchanged"}


def test_a_changed_mapping_reads_the_file_again_instead_of_adding_to_it(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    shop.put(DAY)
    shop.ingest()
    shop.write([{"files": "in/*", "columns": shop.columns | {"product_id": "upper(product)"}}])
    assert outcomes(shop) == {"in/a.csv": "changed"}
    assert shop.raw("product_id") == [("A",), ("B",)]
    shop.write([{"files": "in/*", "columns": shop.columns}])
    shop.ingest()
    assert shop.raw("product_id") == [("a",), ("b",)]


def test_the_record_of_loads_grows_by_what_happened_only(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    path = shop.put(DAY)
    for _ in range(3):
        record.keep(shop.ingest(), source=shop.source, settings=shop.settings)
    path.unlink()
    for _ in range(3):
        record.keep(shop.ingest(), source=shop.source, settings=shop.settings)
    shop.put(DAY)
    record.keep(shop.ingest(), source=shop.source, settings=shop.settings)
    with duckdb.connect() as connection:
        record.register(connection, source=shop.source, settings=shop.settings)
        rows = connection.execute("select source_file, outcome, row_count from raw.loads").fetchall()
    assert rows == [("in/a.csv", "loaded", 2), ("in/a.csv", "missing", 2)]


def test_new_and_reordered_columns_change_nothing_and_the_new_one_is_told(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    shop.put(DAY)
    shop.ingest()
    shop.put("product,extra,amount,date,id\nc,?,7,2024-01-02,3\n", "b.csv")
    load = shop.ingest()[1]
    assert (load.outcome, load.note) == ("loaded", "new columns, ignored: extra")
    assert shop.raw("transaction_id, amount, product_id")[-1] == ("3", "7", "c")


def test_a_column_that_goes_unused_is_told_and_one_that_is_used_blocks(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    shop.put("id,date,amount,product,colour\n1,2024-01-01,5,a,red\n")
    shop.ingest()
    shop.put(NEXT, "b.csv")
    assert shop.ingest()[1].note == "columns gone, used by nothing: colour"
    shop.put("id,date,amount_eur,product\n9,2024-01-03,7,c\n", "c.csv")
    with pytest.raises(InputError, match=r"columns\.amount: in/c\.csv has no column 'amount'") as error:
        shop.ingest()
    assert "did you mean 'amount_eur'" in str(error.value)
    assert "New since the last delivery: amount_eur." in str(error.value)
    assert ids(shop) == ["1", "1", "3"], "what was received before stays"


def test_a_retyped_parquet_column_blocks_where_it_is_used_only(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    frame = pl.DataFrame({"id": [1], "date": ["2024-01-01"], "amount": [5.0], "product": ["a"], "rank": [1]})
    frame.write_parquet(shop.inbox / "a.parquet")
    shop.ingest()
    frame.with_columns(pl.col("rank").cast(pl.String), pl.col("id").cast(pl.Int32) + 1).write_parquet(
        shop.inbox / "b.parquet"
    )
    assert shop.ingest()[1].outcome == "loaded", "a wider integer is the same number; nothing uses rank"
    frame.with_columns(pl.col("amount").cast(pl.String)).write_parquet(shop.inbox / "c.parquet")
    with pytest.raises(InputError, match=r"columns\.amount: column 'amount' of in/c\.parquet was number"):
        shop.ingest()


def test_a_killed_run_leaves_nothing_that_the_next_one_does_not_heal(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    shop.put(DAY)
    shop.ingest()
    home = shop.settings.raw_dir / "transactions"
    (home / ".20240101-half").mkdir()
    (described,) = home.glob("*/delivery.json")
    described.write_text(described.read_text().replace('"in/a.csv"\n ]', "]").replace("[\n  ]", "[]"))
    shop.ingest()
    assert ids(shop) == ["1", "2"]
    assert not [*home.glob(".*")]


def accepted(shop: Inbox) -> pl.DataFrame:
    """The lines that staging accepts, by dbt itself."""
    warehouse = Warehouse(shop.settings.warehouse_file, settings=shop.settings)
    with warehouse.connect() as connection:
        for entity in ENTITIES.values():
            register(connection, entity, source=shop.source, settings=shop.settings)
    for table, declared in Rules().tables().items():
        warehouse.write(table, declared)
    row = {
        "source_name": "shop",
        "timezone": "UTC",
        "currency": "EUR",
        "cancellation_prefix": "",
        "adjustment_prefix": "",
        "has_feedback_text": False,
        "is_consent_required": False,
        "known_at": datetime.now(UTC).replace(tzinfo=None),
    }
    day = pl.lit(date(2030, 1, 1)).alias("requested_as_of_date")
    warehouse.write("raw.source_settings", pl.DataFrame([row]).with_columns(day))
    selection = ["--select", "+stg_transactions"]
    place = {"warehouse": warehouse.file, "target": shop.inbox.parent}
    subprocess.run(command("run", *selection, settings=shop.settings, **place), check=True, capture_output=True)
    return warehouse.read("select transaction_id, occurred_at, product_id, amount from staging.stg_transactions")


@pytest.mark.parametrize("orders", [12, pytest.param(500, marks=pytest.mark.full)])
def test_rows_that_arrive_in_any_order_up_to_five_times_are_accepted_once(tmp_path: Path, orders: int) -> None:
    columns = COLUMNS | {"transaction_id": "arrival || '-' || id"}
    shop = Inbox(tmp_path, files="in/*/*.csv", columns=columns)
    lines = [f"{n},2024-01-{n % 28 + 1:02},{n}.5,p{n % 7}" for n in range(40)]
    for batch in range(4):
        for order in range(orders):
            chance = random.Random(order)  # noqa: S311 - a repeatable test, no secret
            arrivals = [line for line in lines for _ in range(chance.randint(1, 5))]
            chance.shuffle(arrivals)
            shop.put("\n".join([HEADER, *arrivals[batch::4]]), f"arrival={order}/{batch}.csv")
        shop.ingest()
    rows = accepted(shop).with_columns(
        pl.col("transaction_id").str.extract("^([0-9]+)-").alias("arrival"),
        pl.col("transaction_id").str.extract("-([0-9]+)$").alias("id"),
    )
    by_arrival = [frame.drop("arrival", "transaction_id").sort("id") for _, frame in rows.group_by("arrival")]
    assert len(by_arrival) == orders
    assert all(frame.height == 40 and frame.equals(by_arrival[0]) for frame in by_arrival)
