"""Pseudonymous ids from files to marts: every entity under the same ones, every table otherwise the same."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from orchestration.intake.source_file import load_source
from orchestration.privacy import pseudonyms
from orchestration.settings import Settings
from tests.bytes import holding
from tests.marts import build_marts, rows

FILES = {
    "transactions": "id,card,at,paid\n1,zoe_quux,2026-01-01,5.00\n1,zoe_quux,2026-01-01,2.50\n"
    "2,max_quux,2026-01-02,7.00\n"
    "3,,2026-01-03,1.00\n4, zoe_quux ,2026-01-04,-5.00\n5,test_quux,2026-01-04,9.00\n",
    "customers": "card,town\nzoe_quux,Bonn\nmax_quux,Kiel\nnew_quux,Ulm\ntest_quux,Ulm\n",
    "interactions": "card,at,kind\nzoe_quux,2026-01-02,visit\nmax_quux,2026-01-02,call\n",
    "subscriptions": "id,card,start\ns1,zoe_quux,2026-01-01\n",
    "consents": "card,purpose,granted\nmax_quux,marketing,true\n",
    "feedback": "id,card,bought,stars\nf1,zoe_quux,1,5\nf2,,2,1\n",
    "campaigns": "id\nspring\n",
    "campaign_contacts": "card,campaign,sent\nzoe_quux,spring,2026-01-01\n",
}
COLUMNS = {
    "transactions": {"transaction_id": "id", "customer_id": "card", "occurred_at": "at", "amount": "paid"},
    "customers": {"customer_id": "card", "city": "town"},
    "interactions": {"customer_id": "card", "occurred_at": "at", "kind": "kind"},
    "subscriptions": {"subscription_id": "id", "customer_id": "card", "started_at": "start"},
    "consents": {"customer_id": "card", "purpose": "purpose", "granted": "granted"},
    "feedback": {"feedback_id": "id", "customer_id": "card", "transaction_id": "bought", "rating": "stars"},
    "campaigns": {"campaign_id": "id"},
    "campaign_contacts": {"customer_id": "card", "campaign_id": "campaign", "contacted_at": "sent"},
}
COMPARED = (
    *("dim_customers", "dim_customer_ids", "dim_customer_permissions", "fct_transactions", "fct_transaction_lines"),
    *("fct_interactions", "fct_subscriptions", "fct_consents", "fct_feedback", "fct_campaign_contacts"),
)


def build(folder: Path, *, name: str, data_dir: Path, privacy: dict[str, Any]) -> Path:
    folder.mkdir()
    for entity, text in FILES.items():
        (folder / f"{entity}.csv").write_text(text)
    document = {"name": name, "timezone": "UTC", "currency": "EUR", "privacy": privacy}
    document |= {"entities": {e: {"files": f"{e}.csv", "columns": columns} for e, columns in COLUMNS.items()}}
    document |= {"rules": {"test_customers": ["test_quux"]}}
    (folder / "shop.yml").write_text(json.dumps(document))
    return build_marts(folder / "shop.yml", data_dir=data_dir)


def test_every_table_is_the_same_but_for_the_ids(
    tmp_path: Path, marts_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = build(tmp_path / "real", name="under_real_ids", data_dir=marts_dir, privacy={})
    monkeypatch.setenv("CLIENTELE_PRIVACY_KEY", "a long random text")
    hidden = build(tmp_path / "hidden", name="under_pseudonyms", data_dir=marts_dir, privacy={"pseudonymous_ids": True})
    settings = Settings(source=tmp_path / "hidden" / "shop.yml", data_dir=marts_dir)
    known = pseudonyms.read(settings, source=load_source(settings.source).name)
    names = {given: own for own, given in known.iter_rows()} | {"under_pseudonyms": "under_real_ids"}
    assert set(names.values()) >= {"zoe_quux", "max_quux", "new_quux", "test_quux"}
    for table in COMPARED:
        query = f"from marts.{table}"
        expected = rows(real, query)
        found = [tuple(names.get(value, value) for value in row) for row in rows(hidden, query)]
        assert expected, table
        assert sorted(map(str, found)) == sorted(map(str, expected)), table
    for query in ("from quality.reconciliation order by all", "from quality.rule_steps order by all"):
        assert rows(hidden, query) == rows(real, query)
    assert rows(real, "select excluded from quality.reconciliation where entity = 'customers'") == [(1,)]
    texts = [f"{name}_quux" for name in ("zoe", "max", "new", "test")]
    assert holding(hidden.parent, texts, settings=settings).keys() == {
        *(f"{entity}.csv" for entity in FILES if entity != "campaigns"), "shop.yml"
    }  # fmt: skip
    kept = pl.concat(
        [pl.read_parquet(file, columns=["customer_id"]) for file in marts_dir.glob("raw/customers/*/rows.parquet")]
    )
    assert set(known["pseudonym"]) & set(kept["customer_id"])
