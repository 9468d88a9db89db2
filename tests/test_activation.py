"""Customers to where they are addressed: only those who may be, only what changed, each change exactly once."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from orchestration.activation.audience import addressable
from orchestration.activation.changes import LEDGER, changes, with_fates
from orchestration.activation.drop_folder import DropFolder
from orchestration.activation.sync import Books, sync
from orchestration.activation.webhook import Webhook
from orchestration.errors import DeliveryError
from tests.crm import SECRET, Crm, crm

NOW = datetime(2026, 6, 30, 6, tzinfo=UTC).replace(tzinfo=None)


def rows(**segments: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"customer_id": list(segments), "segment": list(segments.values())},
        schema={"customer_id": pl.String, "segment": pl.String},
    )


def hook(server: Crm, **more: Any) -> Webhook:
    return Webhook(server.url, SECRET, **({"pause": lambda _: None, "timeout_seconds": 0.1} | more))


def told(books: Books, frame: pl.DataFrame, destination: Any, *, shrink_share: float = 1.0) -> None:
    sync(frame, books, destination, shrink_share=shrink_share, now=NOW)


def operations(frame: pl.DataFrame, ledger: pl.DataFrame) -> list[tuple[str, str, int]]:
    return [(one.customer_id, one.operation, one.revision) for one in changes("crm", frame, ledger)]


def accepted(frame: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    return with_fates(ledger, [(one, "accepted", None) for one in changes("crm", frame, ledger)])


def test_only_what_changed_is_told_as_added_updated_or_removed() -> None:
    nothing = pl.DataFrame(schema=LEDGER)
    assert operations(rows(ann="gold", bob="new"), nothing) == [("ann", "added", 1), ("bob", "added", 1)]
    ledger = accepted(rows(ann="gold", bob="new"), nothing)
    assert operations(rows(bob="new", ann="gold"), ledger) == []
    later = rows(ann="silver", cas="new")
    assert operations(later, ledger) == [("ann", "updated", 2), ("bob", "removed", 2), ("cas", "added", 1)]
    ledger = accepted(later, ledger)
    assert operations(rows(ann="silver", cas="new", bob="new"), ledger) == [("bob", "added", 3)]


def test_what_may_not_have_arrived_is_told_again_under_its_id_and_a_way_back_is_told_as_well() -> None:
    ledger = accepted(rows(ann="gold"), pl.DataFrame(schema=LEDGER))
    (sent,) = changes("crm", rows(ann="silver"), ledger)
    pending = with_fates(ledger, [(sent, "pending", None)])
    (again,) = changes("crm", rows(ann="silver"), pending)
    assert again.change_id == sent.change_id
    assert operations(rows(ann="gold"), pending) == [("ann", "updated", 3)]  # else silver might stay for ever
    assert operations(rows(), pending) == [("ann", "removed", 3)]


def test_two_rows_of_one_customer_are_refused() -> None:
    with pytest.raises(ValueError, match="of its own"):
        changes("crm", pl.concat([rows(ann="gold"), rows(ann="new")]), pl.DataFrame(schema=LEDGER))


def test_opted_out_and_control_customers_are_not_addressed_and_those_of_final_experiments_are() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema ml")
        connection.execute(
            "create table marts.dim_customer_permissions as from (values ('ann', true), ('bob', false), ('cas', true), "
            "('dan', true), ('eve', true)) as t(customer_id, is_marketing_allowed)"
        )
        connection.execute(
            "create table ml.experiment_assignments as from (values ('cas', 'global_control', 'control'), "
            "('ann', 'global_control', 'reached'), ('dan', 'old', 'control'), ('eve', 'now', 'control')) "
            "as t(customer_id, experiment_id, arm)"
        )
        connection.execute(
            "create table ml.experiment_results as from (values ('global_control', 'control', true, 'running'), "
            "('global_control', 'reached', false, 'running'), ('old', 'control', true, 'final'), "
            "('now', 'control', true, 'running')) as t(experiment_id, arm, is_control, status)"
        )
        found = connection.execute(
            f"select customer_id from marts.dim_customer_permissions where {addressable()} order by all"
        ).fetchall()
    assert found == [("ann",), ("dan",)]


def test_an_empty_or_shrunken_extract_is_stopped_and_noted(tmp_path: Path) -> None:
    books = Books(tmp_path, "shop", "crm")
    everybody = rows(**{f"c{number}": "new" for number in range(10)})
    with crm() as server:
        told(books, everybody, hook(server))
        for few in (everybody.head(6), everybody.head(0)):
            with pytest.raises(DeliveryError, match="of 10 customers would be removed, more than 30%"):
                told(books, few, hook(server), shrink_share=0.3)
        assert len(server.requests) == 1
        told(books, everybody.head(7), hook(server), shrink_share=0.3)
    assert books.log["status"].to_list() == ["complete", "stopped", "stopped", "complete"]
    assert books.log["removed_count"].to_list() == [0, None, None, 3]
    assert set(server.held) == {f"c{number}" for number in range(7)}


def test_a_request_is_signed_and_names_its_batch(tmp_path: Path) -> None:
    with crm() as server:
        told(Books(tmp_path, "shop", "crm"), rows(ann="gold"), hook(server))
        (_, headers, body) = server.requests[0]
        assert headers["idempotency-key"] == headers["webhook-id"]
        assert json.loads(body)["changes"][0]["row"] == {"customer_id": "ann", "segment": "gold"}
        with pytest.raises(DeliveryError, match="401"):
            Webhook(server.url, b"another secret").deliver(
                changes("crm", rows(bob="x"), pl.DataFrame(schema=LEDGER)), print
            )


def test_what_is_refused_for_good_is_a_dead_letter_and_holds_nobody_up(tmp_path: Path) -> None:
    books = Books(tmp_path, "shop", "crm")
    with crm() as server:
        server.poison = {"c3"}
        everybody = {f"c{number}": "new" for number in range(9)}
        told(books, rows(**everybody), hook(server, batch_size=4))
        assert set(server.held) == set(everybody) - {"c3"}
        assert books.dead_letters.select("customer_id", "reason").rows() == [("c3", "422")]
        requests = len(server.requests)
        told(books, rows(**everybody), hook(server))
        assert len(server.requests) == requests  # it waits until its row changes
        server.poison = set()
        told(books, rows(**everybody | {"c3": "gold"}), hook(server))
        assert server.held["c3"]["segment"] == "gold"
    assert books.dead_letters.is_empty()


@pytest.mark.parametrize("answer", [(401, {}), (404, {}), (302, {"Location": "http://127.0.0.1:1/"})])
def test_a_wrong_address_refuses_no_change(tmp_path: Path, answer: tuple[int, dict[str, str]]) -> None:
    books = Books(tmp_path, "shop", "crm")
    with crm() as server:
        server.answers = [answer]
        with pytest.raises(DeliveryError, match=str(answer[0])):
            told(books, rows(ann="gold"), hook(server))
        assert books.dead_letters.is_empty()
        told(books, rows(ann="gold"), hook(server))
        assert set(server.held) == {"ann"}
    assert books.log.select("status", "pending_count").rows() == [("interrupted", 1), ("complete", 0)]


def test_an_endpoint_that_stays_away_is_given_up_without_its_address_in_the_message(tmp_path: Path) -> None:
    with crm(fault_share=1.0, faults=("reset",)) as server, pytest.raises(DeliveryError) as given_up:
        told(Books(tmp_path, "shop", "crm"), rows(ann="gold"), hook(server, attempts=3))
    assert len(server.requests) == 3
    assert "ConnectionError" in str(given_up.value)
    assert "open-sesame" not in str(given_up.value) + repr(hook(server))


def test_requests_keep_to_the_rate_and_to_what_the_endpoint_asks_for(tmp_path: Path) -> None:
    clock = [0.0]
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds

    with crm() as server:
        server.answers = [(429, {"Retry-After": "7"}), (503, {}), (503, {"Retry-After": "9999"})]
        timed = hook(server, batch_size=1, per_second=2.0, pause=pause, clock=lambda: clock[0])
        told(Books(tmp_path, "shop", "crm"), rows(ann="a", bob="b", cas="c"), timed)
    assert pauses == pytest.approx([7, 2, 60, 0.5, 0.5])


def test_a_sync_that_is_killed_is_settled_by_the_next(tmp_path: Path) -> None:
    books = Books(tmp_path, "shop", "crm")

    class Killed(BaseException):
        pass

    with crm() as server:
        whole = hook(server, batch_size=2)

        class Dying:
            def deliver(self, changed: Any, settle: Callable[[Any], None]) -> None:  # noqa: ARG002 - it dies before
                whole.deliver(changed[:2], lambda _: None)  # arrived, and nobody noted it
                raise Killed

        with pytest.raises(Killed):
            told(books, rows(ann="a", bob="b", cas="c"), Dying())
        told(books, rows(ann="a", bob="b", cas="c"), whole)
    assert set(server.held) == {"ann", "bob", "cas"}
    assert set(server.applied.values()) == {1}
    assert books.ledger["fate"].to_list() == ["accepted"] * 3


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_drop_folder_has_one_whole_file_for_each_sync_that_has_news(tmp_path: Path, kind: Any) -> None:
    books, folder = Books(tmp_path / "books", "shop", "crm"), tmp_path / "drop"
    folder.mkdir()
    for frame in (rows(ann="a", bob="b"), rows(ann="a", bob="b"), rows(bob="c")):
        told(books, frame, DropFolder(folder, kind))
    files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    read = pl.read_csv if kind == "csv" else pl.read_parquet
    found = [read(file).select("operation", "customer_id", "revision", "segment").rows() for file in files]
    assert found == [
        [("added", "ann", 1, "a"), ("added", "bob", 1, "b")],
        [("removed", "ann", 2, None), ("updated", "bob", 2, "c")],
    ]


def survive(folder: Path, *, syncs: int) -> None:
    """Random customers come, change, go and come back, while a third of the requests fail in one way or another."""
    draw = random.Random(1)  # noqa: S311 - a plan
    books, target = Books(folder, "shop", "crm"), {f"c{number}": "a" for number in range(8)}
    expected = 0
    with crm(seed=2, fault_share=0.35) as server:
        for _ in range(syncs):
            for customer in draw.sample([f"c{number}" for number in range(12)], 2):
                if customer in target and draw.random() < 0.3:
                    del target[customer]
                else:
                    target[customer] = draw.choice("abc")
            try:
                told(books, rows(**target), hook(server, batch_size=3, attempts=3, per_second=1e6))
            except DeliveryError:
                expected += 1  # what is left goes with the next sync
        server.fault_share = 0.0
        told(books, rows(**target), hook(server))
        assert {one: row["segment"] for one, row in server.held.items()} == target
        assert set(server.applied.values()) == {1}
        assert set(server.met) >= {"500", "429", "reset", "reset_after", "slow_after", "garbage"}
    assert books.ledger.filter(pl.col("operation") != "removed")["customer_id"].to_list() == sorted(target)
    assert set(books.ledger["fate"]) == {"accepted"}
    assert books.log.height == syncs + 1
    assert books.log["status"].to_list().count("interrupted") == expected > 0
    sent = books.ledger["revision"].sum()
    assert sum(server.applied.values()) <= sent  # a change that was overtaken before it arrived is not applied


def test_syncs_through_failures_deliver_each_change_exactly_once(tmp_path: Path) -> None:
    survive(tmp_path, syncs=60)


@pytest.mark.full
def test_a_thousand_syncs_through_failures_deliver_each_change_exactly_once(tmp_path: Path) -> None:
    survive(tmp_path, syncs=1000)
