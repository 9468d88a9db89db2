"""To be forgotten, and to be told: on a copy of what the first run left, and in the run after an erasure."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from orchestration.errors import ClienteleError
from orchestration.intake.source_file import load_source
from orchestration.privacy import erasure, versions
from orchestration.privacy.access import access, write
from orchestration.privacy.erasure import Receipt, erase, finish, home_of, places
from orchestration.privacy.places import Home, Persons, check_registered
from orchestration.privacy.registry import Registry
from orchestration.privacy.versions import heal
from orchestration.publishing.generations import Generation, current, generations, verify, versions_dir
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse, reader
from tests.bytes import holding
from tests.commands import Finished
from tests.shop import CANARIES, Shop

ERASED = ("c0123", "c0234")
NUMBERS = (123, 234)
OF_THEM = tuple(
    text
    for number in NUMBERS
    for text in (
        f"c{number:04}",
        f"p{number}{CANARIES[0]}",
        f"{CANARIES[1]}{number:06}",
        f"{CANARIES[2]} {number}",
        f"o{number}-0",
    )
)
"""What stands in the shop's files of them and of nobody else: id, e-mail, phone, name, number of an order."""


def copy(settings: Settings, folder: Path) -> Settings:
    shutil.copytree(settings.data_dir, folder, symlinks=True)
    return settings.model_copy(update={"data_dir": folder})


@pytest.fixture(scope="module")
def erased(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Receipt, list[str]]:
    """A copy of the first run's data folder in which two customers, and one who never was, are erased."""
    aside = copy(settings, tmp_path_factory.mktemp("erased") / "data")
    (version,) = versions_dir(aside).iterdir()
    shutil.copytree(version, version.with_name(".killed-publication"))
    assert len(holding(aside.data_dir, OF_THEM, settings=aside)) > 10  # the search finds them where they are
    receipt, unknown = erase(aside, [*ERASED, " c0123 ", "nobody"], source=load_source(aside.source))
    return aside, receipt, unknown


def test_no_byte_of_an_erased_person_remains_in_any_file(erased: tuple[Settings, Receipt, list[str]]) -> None:
    settings, _, _ = erased
    assert holding(settings.data_dir, OF_THEM, settings=settings) == {}


def test_nobody_else_is_gone_from_what_is_published(
    erased: tuple[Settings, Receipt, list[str]], settings: Settings
) -> None:
    (before,), (after,) = generations(settings), generations(erased[0])
    verify(after)
    with reader(before.folder / "clientele.duckdb") as old, reader(after.folder / "clientele.duckdb") as new:
        for name, table in before.manifest["tables"].items():
            rest = f"from {name} where customer_id is null or customer_id not in {ERASED}"
            if "customer_id" in table["columns"]:
                assert new.sql(f"from {name}").fetchall() == old.sql(rest).fetchall(), name
            else:
                assert after.manifest["tables"][name] == table, name
        comments = "select comment from duckdb_columns() where comment is not null order by all"
        assert new.sql(comments).fetchall() == old.sql(comments).fetchall()
    for file in after.folder.rglob("*.parquet"):
        count = after.manifest["tables"][f"{file.parent.name}.{file.stem}"]["row_count"]
        assert pl.scan_parquet(file).select(pl.len()).collect().item() == count
    assert current(erased[0]) == after


def test_the_receipt_says_what_was_done_and_nothing_of_anybody(
    erased: tuple[Settings, Receipt, list[str]], shop: Shop
) -> None:
    settings, receipt, unknown = erased
    assert unknown == ["nobody"]
    assert receipt.customer_count == 3
    lines = sum(row.text.split(",")[1] in ERASED for row in shop.of("transactions"))
    assert receipt.rows_by_place["raw/transactions"] == lines
    assert receipt.rows_by_place["raw/customers"] == receipt.rows_by_place["vault/customers"] == 2
    assert {"published", "history/segments", "history/scores/clv", "warehouse.duckdb"} <= set(receipt.rows_by_place)
    (file,) = (settings.history_dir / "receipts" / "tiny_shop").glob("*.json")
    assert json.loads(file.read_text())["keyed_hashes"] == receipt.keyed_hashes
    assert not any(text in file.read_text() for text in (*OF_THEM, "nobody"))
    assert file.stat().st_mode & 0o077 == 0
    key = settings.vault_dir / "privacy.key"
    assert key.stat().st_mode & 0o077 == 0


def test_models_that_learned_from_them_say_so(erased: tuple[Settings, Receipt, list[str]]) -> None:
    cards = [json.loads(file.read_text()) for file in erased[0].history_dir.glob("models/*/card.json")]
    assert len(cards) == erased[1].marked_model_count > 0
    assert {tuple(card["erased_customers"].values()) for card in cards} == {(3,)}


def test_the_working_file_goes_and_an_erasure_twice_changes_nothing(
    erased: tuple[Settings, Receipt, list[str]],
) -> None:
    settings, _, _ = erased
    assert not list(settings.data_dir.glob("warehouse.duckdb*"))
    again, unknown = erase(settings, ERASED, source=load_source(settings.source))
    assert (again.rows_by_place, unknown) == ({}, [*ERASED])


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("place", ["Deliveries", "Versions"])
def test_an_erasure_that_was_killed_is_finished_by_the_next_run(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    aside, source = copy(settings, tmp_path / "data"), load_source(settings.source)

    def killed(*_: Any) -> int:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(getattr(erasure, place), "erase", killed)
        with pytest.raises(Killed):
            erase(aside, ERASED, source=source)
    assert holding(versions_dir(aside), OF_THEM, settings=aside)
    (receipt,) = finish(aside, source)
    assert receipt.customer_count == 2
    assert holding(aside.data_dir, OF_THEM, settings=aside) == {}
    assert finish(aside, source) == []


@pytest.fixture(scope="module")
def rewritten(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Generation]:
    """A copy in which the version is rewritten and not yet in its place."""
    aside = copy(settings, tmp_path_factory.mktemp("rewritten") / "data")
    (before,) = generations(aside)
    versions._rewrite(home_of(aside, load_source(aside.source)), before, Persons(frozenset(ERASED)))
    return aside, before


@pytest.mark.parametrize("step", ["swap", "rename", "copytree", "rmtree"])
def test_a_version_is_old_or_new_wherever_its_rewriting_is_killed(
    rewritten: tuple[Settings, Generation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    settings, before = rewritten
    shutil.copytree(settings.published_dir, tmp_path / "published", symlinks=True)
    aside = settings.model_copy(update={"data_dir": tmp_path})
    home = Home(aside, load_source(aside.source), Registry({}, {}))

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    owner: Any = {"swap": versions, "rename": Path}.get(step, shutil)
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, killed)
        with pytest.raises(Killed):
            heal(home)
    seen = current(aside)
    assert seen is not None  # whoever opens it now has a whole version
    if step in ("copytree", "rmtree"):
        verify(seen)
    heal(home)
    (after,) = generations(aside)
    assert after.manifest["tables"] != before.manifest["tables"]
    assert (after.run_id, current(aside)) == (before.run_id, after)
    assert sorted(path.name for path in versions_dir(aside).iterdir()) == [before.run_id]


def test_everything_held_about_one_is_told_and_only_they_can_read_it(
    settings: Settings, shop: Shop, tmp_path: Path
) -> None:
    document = access(settings, "c0123", source=load_source(settings.source))
    held = document["held"]
    theirs = [row.text for row in shop.of("transactions") if row.text.split(",")[1] == "c0123"]
    assert len(held["raw/transactions"]) == len(theirs)
    assert held["vault/customers"][0]["email"] == f"p123{CANARIES[0]}"
    (tables,) = held["published"].values()
    assert {"marts.dim_customers", "ml.customer_features", "ml.customer_segments", "reports.rpt_customer_360"} <= set(
        tables
    )
    assert list(held["history/segments"]) == ["2026-06-30"]
    assert {card["model"] for card in held["history/models"]} == {"clv"} | {
        model for model in ("churn",) if held["history/scores/churn"]
    }
    others = [row["customer_id"] for rows in tables.values() for row in rows if row.get("customer_id") != "c0123"]
    assert others == []
    write(document, tmp_path / "one.json")
    assert (tmp_path / "one.json").stat().st_mode & 0o077 == 0
    told = (tmp_path / "one.json").read_text()
    assert json.loads(told)["customer_id"] == "c0123"
    assert "c0124" not in told


def test_of_an_erased_person_nothing_is_held(erased: tuple[Settings, Receipt, list[str]]) -> None:
    with pytest.raises(ClienteleError, match="Nothing is held"):
        access(erased[0], "c0123", source=load_source(erased[0].source))


def test_erasure_access_and_the_registry_name_the_same_places(settings: Settings) -> None:
    source = load_source(settings.source)
    home = home_of(settings, source)
    registered = {place.path for place in home.registry.places_of_people()}
    assert set(places(home)) == registered
    assert set(access(settings, "c0123", source=source)["held"]) == registered
    with reader(settings.published_dir / "current" / "clientele.duckdb") as connection:
        with_ids = connection.sql(
            "select distinct table_schema || '.' || table_name from information_schema.columns "
            "where column_name in ('customer_id', 'source_customer_id')"
        ).fetchall()
    assert {name for (name,) in with_ids} == {
        table.name for table in home.registry.tables_of_people() if not table.name.startswith(("staging.", "raw."))
    } & {name for (name,) in with_ids}
    check_registered(home)


@pytest.fixture
def planted(settings: Settings, tmp_path: Path) -> Settings:
    return copy(settings, tmp_path / "data")


@pytest.mark.parametrize("where", ["history/notes/tiny_shop/2026-06-30.parquet", "ml.customer_notes"])
def test_a_place_with_customers_that_nobody_registered_stops_everything(planted: Settings, where: str) -> None:
    frame = pl.DataFrame({"customer_id": ["c0123"], "note": ["likes tea"]})
    if where.endswith(".parquet"):
        file = planted.data_dir / where
        file.parent.mkdir(parents=True)
        frame.write_parquet(file)
    else:
        (folder,) = versions_dir(planted).glob("[!.]*/")
        Warehouse(folder / "clientele.duckdb", settings=planted).write(where, frame)
    for asked in (
        lambda: erase(planted, ["c0123"], source=load_source(planted.source)),
        lambda: access(planted, "c0123", source=load_source(planted.source)),
    ):
        with pytest.raises(ClienteleError, match=rf"in no registry: .*{where}"):
            asked()
    assert not (planted.history_dir / "tombstones").exists()


@pytest.mark.parametrize("broken", ["manifest.json", "clientele.duckdb"])
def test_a_version_that_nobody_can_be_taken_out_of_stops_an_erasure_before_it_begins(
    planted: Settings, broken: str
) -> None:
    (folder,) = versions_dir(planted).glob("[!.]*/")
    (folder / broken).write_bytes(b"{")
    with pytest.raises(ClienteleError, match=rf"published/versions/{folder.name} is broken: .*Nothing was done"):
        erase(planted, ["c0123"], source=load_source(planted.source))
    assert not (planted.history_dir / "tombstones").exists()
    assert planted.warehouse_file.exists()


def test_the_run_after_an_erasure_does_not_bring_them_back_and_accounts_for_every_cent(
    later_runs: dict[str, Finished], shop: Shop
) -> None:
    run = later_runs["erased"]
    assert run.exit_code == 0, run.stderr
    settings, gone = run.settings, ("c0001", "c0003")
    warehouse = Warehouse(settings.warehouse_file, settings=settings)
    lines = [
        row
        for row in shop.of("transactions")
        if row.text.split(",")[1] in gone and row.reason != "unreadable_line"  # such a line has no customer
    ]
    money = sum((row.amount for row in lines if row.amount is not None), Decimal(0)).quantize(Decimal("0.0001"))
    found = {
        (row["entity"], row["measure"]): row
        for row in warehouse.read("from quality.reconciliation where received > 0").iter_rows(named=True)
    }
    assert found["transactions", "rows"]["erased"] == len(lines)
    assert found["transactions", "amount"]["erased"] == money
    assert found["customers", "rows"]["erased"] == 2
    assert {row["difference"] for row in found.values()} == {0}
    assert found["transactions", "rows"]["received"] == len(shop.of("transactions"))
    steps = warehouse.read("select line_count, net_amount from quality.rule_steps where step = 'erased'").row(0)
    assert steps == (len(lines), money)
    assert holding(settings.data_dir, gone, settings=settings) == {}
    reasons = warehouse.read("select reason from ml.model_versions where status in ('champion', 'rule')")
    assert reasons["reason"].str.contains("2 customers who were erased").all()
    outcomes = warehouse.read("select distinct outcome from quality.loads")
    assert outcomes["outcome"].to_list() == ["loaded"]
