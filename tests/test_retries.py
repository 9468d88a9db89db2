"""What is fetched again because the trouble may pass, and what is not."""

import sqlite3
from pathlib import Path

import pytest

from orchestration.assets import landing as assets_landing
from orchestration.errors import InputError
from orchestration.intake import landing
from tests.company import of_database, seed

pytest.importorskip("dlt", reason="the extra for databases is not installed")


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets_landing, "PAUSES", (0.2, 0.4))


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("is_let_go", [True, False])
def test_a_locked_database_is_waited_for_and_not_for_ever(
    tmp_path: Path, is_let_go: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    seed(url).dispose()
    shop = of_database(tmp_path, f"{url}?timeout=0.1")
    with sqlite3.connect(tmp_path / "shop.db", check_same_thread=False) as holder:
        holder.execute("begin exclusive")
        if is_let_go:
            may_pass = landing.may_pass
            monkeypatch.setattr(landing, "may_pass", lambda error: (holder.rollback(), may_pass(error))[1])
            assert shop.refresh()["raw.transactions"]["new_row_count"] == 2
            assert shop.retries == 1
        else:
            with pytest.raises(InputError, match="database is locked"):
                shop.refresh()
            assert shop.retries == 2


@pytest.mark.usefixtures("no_pauses")
def test_a_table_that_is_not_there_is_asked_for_once(tmp_path: Path) -> None:
    shop = of_database(tmp_path, f"sqlite:///{tmp_path / 'shop.db'}")
    with pytest.raises(InputError, match=r"connections\.erp"):
        shop.refresh()
    assert shop.retries == 0


@pytest.mark.parametrize(
    ("said", "is_passing"),
    [
        ('connection to server at "db", port 5432 failed: Connection refused', True),
        ("FATAL: the database system is starting up", True),
        ("(1040, 'Too many connections')", True),
        ('FATAL: password authentication failed for user "shop"', False),
        ('relation "orders" does not exist', False),
        ("permission denied for table orders", False),
    ],
)
def test_trouble_that_passes_is_told_from_trouble_that_stays(said: str, is_passing: bool) -> None:
    error = ValueError("dlt's own")
    error.__cause__ = RuntimeError(said)
    assert landing.may_pass(error) == is_passing
    assert landing.may_pass(ConnectionResetError())
