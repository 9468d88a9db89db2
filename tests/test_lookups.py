"""Values of a row that stand in other files: found by key, never multiplied, and read again when those files change."""

from pathlib import Path
from typing import Any

import pytest

from orchestration.errors import InputError
from tests.inbox import Inbox

COLUMNS = {
    "transaction_id": "id",
    "customer_id": "people.person",
    "occurred_at": "orders.day",
    "amount": "price",
}
LOOKUPS = {
    "orders": {"files": "orders.csv", "key": "order_id", "by": "id"},
    "people": {"files": "people.jsonl", "key": "no", "by": "orders.customer"},
}
ITEMS = "id,price\n1,10\n1,5\n2,7\n3,1\n4,2\n"
ORDERS = "order_id,day,customer\n1,2024-01-01,c1\n2,2024-01-02,c2\n4,2024-01-04,c1\n4,2024-01-05,c1\n2,2024-01-02,c2\n"
PEOPLE = '{"no": "c1", "person": "ada"}\n{"no": "c2", "person": "bob"}\n'


def shop(folder: Path, **more: Any) -> Inbox:
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "people.jsonl").write_text(PEOPLE)
    found = Inbox(folder, columns=COLUMNS, **({"lookups": LOOKUPS} | more))
    found.put(ITEMS)
    return found


def seen(inbox: Inbox) -> list[Any]:
    return inbox.raw("transaction_id, customer_id, occurred_at, amount")


def test_a_row_finds_its_values_through_one_file_and_the_next(tmp_path: Path) -> None:
    inbox = shop(tmp_path)
    inbox.ingest()
    assert seen(inbox) == [
        ("1", "ada", "2024-01-01", "10"),
        ("1", "ada", "2024-01-01", "5"),
        ("2", "bob", "2024-01-02", "7"),  # the same row twice is one
        ("3", None, None, "1"),  # nowhere
        ("4", None, None, "2"),  # two that differ
    ]


def test_a_changed_lookup_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    inbox = shop(tmp_path)
    inbox.ingest()
    assert [load.outcome for load in inbox.ingest()] == ["unchanged"]
    (tmp_path / "people.jsonl").write_text(PEOPLE.replace("bob", "bea"))
    assert [load.outcome for load in inbox.ingest()] == ["changed"]
    assert seen(inbox)[2] == ("2", "bea", "2024-01-02", "7")
    assert len(seen(inbox)) == 5


@pytest.mark.parametrize(
    ("lookups", "words"),
    [
        ({"orders": {"files": "order.csv", "key": "order_id", "by": "id"}}, r"lookups\.orders\.files: no file matches"),
        ({"orders": {"files": "orders.csv", "key": "orderid", "by": "id"}}, "did you mean 'order_id'"),
        ({"orders": {"files": "orders.csv", "key": "order_id", "by": "no"}}, r"lookups\.orders\.by: `no` does not fit"),
        ({"price": {"files": "orders.csv", "key": "order_id", "by": "id"}}, "have a column of this name"),
        ({"Or ders": {"files": "orders.csv", "key": "order_id", "by": "id"}}, "names are lower case letters"),
        ({"orders": {"files": "orders.csv", "key": "order_id", "on": "id"}}, "unknown key"),
    ],
)
def test_a_lookup_that_cannot_work_is_told_with_its_field(tmp_path: Path, lookups: dict[str, Any], words: str) -> None:
    inbox = shop(tmp_path, lookups=lookups)
    with pytest.raises(InputError, match=words):
        inbox.ingest()
    assert not list((tmp_path / "data").rglob("*.parquet"))


def test_a_column_that_a_lookup_does_not_have_is_told(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS.replace("day", "date"))
    inbox = Inbox(tmp_path, columns=COLUMNS, lookups=LOOKUPS)
    (tmp_path / "people.jsonl").write_text(PEOPLE)
    inbox.put(ITEMS)
    with pytest.raises(InputError, match=r"columns\.occurred_at: .*day"):
        inbox.ingest()
