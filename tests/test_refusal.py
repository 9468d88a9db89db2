"""Rows that may not be kept, as ingest meets them: of erased customers, too old, and ids under pseudonyms."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr

from orchestration.errors import ClienteleError, InputError
from orchestration.ingest import erased_rows, ingest
from orchestration.intake.deliveries import clear_unfinished, read_deliveries
from orchestration.intake.entities import ENTITIES
from orchestration.intake.refusal import Rule
from orchestration.intake.revisions import revise
from orchestration.privacy import pseudonyms, tombstones
from orchestration.privacy.ingest_rules import received_rule
from orchestration.privacy.landing import scrub_landing
from orchestration.privacy.retention import prune_history
from tests.inbox import ENTITY, Inbox

COLUMNS = {
    "transaction_id": "id",
    "customer_id": "card",
    "occurred_at": "date",
    "amount": "amount",
    "currency": "money",
}
HEADER = "id,card,date,amount,money"
MESSAGES = {"feedback_id": "id", "customer_id": "card", "transaction_id": "bought", "text": "said", "created_at": "at"}


class Shop(Inbox):
    """Transactions, and any other entities, of a source whose settings a test may change."""

    def __init__(
        self, folder: Path, *, key: str | None = None, privacy: dict[str, Any] | None = None, **more: Any
    ) -> None:
        self.privacy, self.more = privacy or {}, more
        super().__init__(folder, columns=COLUMNS)
        if key:
            self.settings = self.settings.model_copy(update={"privacy_key": SecretStr(key)})

    def write(self, parts: list[dict[str, Any]]) -> None:
        entities = {"transactions": parts, **self.more}
        document = {"name": "shop", "timezone": "UTC", "currency": "EUR", "entities": entities, "privacy": self.privacy}
        self.settings.source.write_text(json.dumps(document))

    def erase(self, *customers: str, transactions: tuple[str, ...] = ()) -> None:
        """Set tombstones; what is kept already is another matter."""
        tombstones.add(self.settings, source="shop", customers=customers, transactions=transactions)

    def tallies(self) -> list[tuple[Any, ...]]:
        """What is remembered of rows that are kept no longer."""
        return erased_rows(source=self.source, settings=self.settings).sort("amount", descending=True).rows()

    def published(self, day: str) -> None:
        """Let a day be the last published one."""
        folder = self.settings.published_dir / "current"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").write_text(json.dumps({"source": "shop", "as_of_date": day, "tables": {}}))

    def kept_bytes(self) -> bytes:
        """Everything below the data folder, decoded."""
        frames = [pl.read_parquet(file) for file in self.settings.data_dir.rglob("*.parquet")]
        texts = [frame.with_columns(pl.all().cast(pl.String)).write_csv().encode() for frame in frames]
        return b"".join([*texts, *(f.read_bytes() for f in self.settings.data_dir.rglob("*") if f.is_file())])


def test_rows_of_erased_customers_are_counted_and_never_written(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.erase("zoe_q", "7")
    shop.put(
        f"{HEADER}\n1,zoe_q,2020-01-01,5.25,\n2, zoe_q ,2020-01-02,1.00,usd\n3,bob,2020-01-02,3.00,\n"
        "4,7,2020-01-02,bad,\n"
        "5,,2020-01-03,2.00,\n6,zoe_q,2020-01-04,-0.25,\n7,zoe_q,2020-01-05,1,2,3,4\n"
    )
    (load,) = shop.ingest()
    assert load.row_count == 7
    assert shop.raw("transaction_id, customer_id, _row_number, _defect") == [
        ("3", "bob", 4, None),
        ("5", None, 6, None),
        (None, None, 8, "unreadable_line"),
    ]
    assert shop.tallies() == [
        ("transactions", "in/a.csv", None, 3, Decimal("5.0000")),
        ("transactions", "in/a.csv", "USD", 1, Decimal("1.0000")),
    ]
    assert b"zoe_q" not in shop.kept_bytes()


def test_one_who_was_erased_in_one_source_is_another_person_in_the_next(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    tombstones.add(shop.settings, source="other", customers=["zoe_q"])
    shop.put(f"{HEADER}\n1,zoe_q,2020-01-01,5,\n")
    shop.ingest()
    assert [row[0] for row in shop.raw("customer_id")] == ["zoe_q"]


def test_a_message_about_an_erased_purchase_is_refused_unless_it_names_somebody_else(tmp_path: Path) -> None:
    shop = Shop(tmp_path, feedback={"files": "messages.csv", "columns": MESSAGES})
    shop.erase("zoe_q", transactions=("t1",))
    (tmp_path / "messages.csv").write_text(
        "id,card,bought,said,at\n1,,t1,I am Zoe,2020-01-01\n2,bob,t1,I am Bob,2020-01-01\n3,,t2,Nobody,2020-01-01\n"
    )
    ingest(ENTITIES["feedback"], source=shop.source, settings=shop.settings)
    for home in (shop.settings.raw_dir, shop.settings.vault_dir):
        (rows,) = (home / "feedback").rglob("rows.parquet")
        assert pl.read_parquet(rows)["feedback_id"].to_list() == ["2", "3"]
    assert shop.tallies() == [("feedback", "messages.csv", None, 1, None)]
    assert b"I am Zoe" not in shop.kept_bytes()


def test_a_kept_delivery_loses_the_rows_and_stays_the_delivery_of_its_file(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.put(f"{HEADER}\n1,zoe_q,2020-01-01,5,\n2,bob,2020-01-01,3,\n3,zoe_q,2020-01-01,1,\n")
    shop.ingest()
    raw, vault = shop.settings.raw_dir / "transactions", shop.settings.vault_dir / "transactions"
    (delivery,) = read_deliveries(raw, source="shop")
    for customer in ("zoe_q", "nobody"):
        rule = Rule(customers=lambda ids, gone=customer: [one for one in ids if one == gone])
        delivery = revise(delivery, entity=ENTITY, raw=raw, vault=vault, rule=rule)
    assert [folder.name for folder in raw.glob("*")] == [delivery.folder_name]
    assert (delivery.revision, delivery.row_count) == (1, 3)
    shop.erase("zoe_q")
    assert [load.outcome for load in shop.ingest()] == ["unchanged"]
    assert shop.raw("customer_id, _row_number") == [("bob", 3)]
    assert shop.tallies() == [("transactions", "in/a.csv", None, 2, Decimal("6.0000"))]
    assert b"zoe_q" not in shop.kept_bytes()


def test_of_two_revisions_that_a_kill_left_the_newer_counts_and_the_older_goes(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.put(f"{HEADER}\n1,zoe_q,2020-01-01,5,\n")
    shop.ingest()
    raw, vault = shop.settings.raw_dir / "transactions", shop.settings.vault_dir / "transactions"
    (delivery,) = read_deliveries(raw, source="shop")
    old = raw / delivery.folder_name
    for number in (1, 10):
        newer = raw / f"{old.name}-{number}"
        newer.mkdir()
        for file in old.iterdir():
            (newer / file.name).write_bytes(file.read_bytes())
        content = json.loads((newer / "delivery.json").read_text()) | {"revision": number}
        (newer / "delivery.json").write_text(json.dumps(content))
    assert [one.revision for one in read_deliveries(raw, source="shop")] == [10]
    clear_unfinished(raw, vault)
    assert [folder.name for folder in raw.iterdir()] == [f"{old.name}-10"]


def test_without_the_key_that_tombstones_were_made_with_nothing_is_read(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.erase("zoe_q")
    shop.put(f"{HEADER}\n1,zoe_q,2020-01-01,5,\n")
    shop.settings = shop.settings.model_copy(update={"privacy_key": SecretStr("another")})
    with pytest.raises(ClienteleError, match=r"put back vault/privacy\.key"):
        shop.ingest()
    assert not list(shop.settings.raw_dir.rglob("*.parquet"))


def test_tombstones_hold_hashes_that_the_key_alone_can_make(tmp_path: Path) -> None:
    shops = [Shop(tmp_path / name) for name in ("one", "two") if not (tmp_path / name).mkdir()]
    hashes = []
    for shop in shops:
        shop.erase("zoe_q")
        (file,) = tombstones.folder(shop.settings, "shop").glob("*.parquet")
        hashes.append(pl.read_parquet(file)["keyed_hash"].to_list())
        assert b"zoe_q" not in file.read_bytes()
    assert hashes[0] != hashes[1]


def test_what_was_fetched_loses_the_rows_and_is_the_same_delivery_all_the_same(tmp_path: Path) -> None:
    mapped = {"files": "landing:erp/orders", "columns": COLUMNS | {"customer_id": "who.card"}}
    mapped["lookups"] = {"who": {"files": "landing:erp/people", "key": "no", "by": "person"}}
    shop, connections = Shop(tmp_path), {"erp": {"tables": {"orders": None, "people": None}}}
    document = json.loads(shop.settings.source.read_text()) | {"connections": connections}
    shop.settings.source.write_text(json.dumps(document | {"entities": {"transactions": mapped}}))
    landing = shop.settings.landing_dir / "shop" / "erp"
    orders, people = landing / "orders" / "orders.parquet", landing / "people" / "people.parquet"
    for file in (orders, people):
        file.parent.mkdir(parents=True)
    pl.DataFrame(
        {
            "id": [1, 2, 3],
            "person": [10, 20, 20],
            "date": ["2020-01-01"] * 3,
            "amount": [5, 3, 1],
            "money": [None, None, None],
        },
        schema_overrides={"money": pl.String},
    ).write_parquet(orders)
    pl.DataFrame({"no": [10, 20, 30], "card": ["bob", "zoe_q", "cy"]}).write_parquet(people)
    shop.erase("zoe_q")
    assert [load.outcome for load in shop.ingest()] == ["loaded"]
    assert shop.tallies() == [("transactions", "landing:erp/orders/orders.parquet", None, 2, Decimal("4.0000"))]
    assert scrub_landing(shop.source, shop.settings) == [orders, people]
    assert (pl.read_parquet(orders)["id"].to_list(), pl.read_parquet(people)["card"].to_list()) == ([1], ["bob", "cy"])
    assert b"zoe_q" not in shop.kept_bytes()
    assert scrub_landing(shop.source, shop.settings) == []
    shop.ingest()
    assert [row[0] for row in shop.raw("customer_id")] == ["bob"]


def test_pseudonyms_stand_for_ids_everywhere_but_in_the_map(tmp_path: Path) -> None:
    shop = Shop(
        tmp_path,
        key="secret",
        privacy={"pseudonymous_ids": True},
        customers={"files": "people.csv", "columns": {"customer_id": "card", "email": "mail"}},
    )
    shop.put(f"{HEADER}\n1,zoe_q,2020-01-01,5,\n2, zoe_q ,2020-01-01,5,\n3,,2020-01-01,1,\n4,bob,2020-01-01,1,\n")
    (tmp_path / "people.csv").write_text("card,mail\nzoe_q,a@b.example\n")
    shop.ingest()
    ingest(ENTITIES["customers"], source=shop.source, settings=shop.settings)
    one, same, guest, other = [row[0] for row in shop.raw("customer_id")]
    assert (one == same, guest, len(one), one == other) == (True, None, pseudonyms.LENGTH, False)
    (vault,) = (shop.settings.vault_dir / "customers").rglob("rows.parquet")
    assert pl.read_parquet(vault).select("customer_id", "email").rows() == [(one, "a@b.example")]
    file = shop.settings.vault_dir / "pseudonyms" / "shop.parquet"
    assert pl.read_parquet(file).rows() == [("bob", other), ("zoe_q", one)]
    assert file.stat().st_mode & 0o077 == 0
    assert pseudonyms.kept_ids(shop.settings, ["zoe_q"], source=shop.source) == {"zoe_q": one}
    assert pseudonyms.kept_ids(shop.settings, [one], source=shop.source) == {"zoe_q": one}
    file.rename(tmp_path / "map.parquet")
    for name in (".pseudonyms", ".shop.parquet.sha256"):
        (shop.settings.vault_dir / "pseudonyms" / name).unlink(missing_ok=True)
    assert b"zoe_q" not in shop.kept_bytes()


def test_the_same_key_gives_the_same_pseudonyms_and_another_one_is_refused(tmp_path: Path) -> None:
    shop = Shop(tmp_path, key="secret", privacy={"pseudonymous_ids": True})
    shop.put(f"{HEADER}\n1,zoe_q,2020-01-01,5,\n")
    shop.ingest()
    assert [load.outcome for load in shop.ingest()] == ["unchanged"]
    for privacy, key in (({"pseudonymous_ids": True}, "other"), ({}, "secret")):
        changed = Shop(tmp_path, key=key, privacy=privacy)
        with pytest.raises(InputError, match="under other customer ids"):
            changed.ingest()


def test_pseudonyms_without_a_key_are_refused_in_words(tmp_path: Path) -> None:
    shop = Shop(tmp_path, privacy={"pseudonymous_ids": True})
    shop.put(f"{HEADER}\n1,zoe_q,2020-01-01,5,\n")
    with pytest.raises(InputError, match="set CLIENTELE_PRIVACY_KEY to a long random text"):
        shop.ingest()
    assert not shop.settings.data_dir.exists()


def test_rows_past_their_retention_go_and_are_counted(tmp_path: Path) -> None:
    shop = Shop(tmp_path, privacy={"retention_days": {"transactions": 30}})
    shop.put(f"{HEADER}\n1,zoe_q,2020-01-30 23:59:59,5,\n2,zoe_q,2020-01-31,3,\n3,zoe_q,soon,1,\n")
    shop.ingest()
    assert len(shop.raw()) == 3  # nothing is published yet
    shop.published("2020-03-01")
    shop.ingest()
    assert shop.raw("transaction_id") == [("2",), ("3",)]
    assert shop.tallies() == [("transactions", "in/a.csv", None, 1, Decimal("5.0000"))]
    shop.put(f"{HEADER}\n4,zoe_q,2020-01-01,2,\n", "b.csv")
    assert shop.ingest()[1].row_count == 1
    assert shop.raw("transaction_id") == [("2",), ("3",)]
    shop.published("2020-03-02")
    shop.ingest()
    assert shop.tallies()[0] == ("transactions", "in/a.csv", None, 2, Decimal("8.0000"))


def test_history_past_its_retention_goes_day_by_day(tmp_path: Path) -> None:
    shop = Shop(tmp_path, privacy={"retention_days": {"history": 10}})
    folder = shop.settings.history_dir / "segments" / "shop"
    folder.mkdir(parents=True)
    for day in ("2020-01-01", "2020-01-02"):
        pl.DataFrame({"customer_id": ["zoe_q"]}).write_parquet(folder / f"{day}.parquet")
    assert prune_history(shop.source, shop.settings) == 0
    shop.published("2020-01-12")
    assert prune_history(shop.source, shop.settings) == 1
    assert [file.name for file in folder.iterdir()] == ["2020-01-02.parquet"]


def test_what_does_not_age_is_refused_by_name(tmp_path: Path) -> None:
    shop = Shop(tmp_path, privacy={"retention_days": {"consents": 30}})
    with pytest.raises(InputError, match=r"privacy.retention_days: 'consents' does not age; known are transactions"):
        shop.source  # noqa: B018 - reading it is the test


def test_entities_without_customers_have_no_rule(tmp_path: Path) -> None:
    shop = Shop(tmp_path, key="secret", privacy={"pseudonymous_ids": True})
    shop.erase("zoe_q")
    assert received_rule(ENTITIES["products"], source=shop.source, settings=shop.settings) == Rule()
