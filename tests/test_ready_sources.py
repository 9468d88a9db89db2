"""The shipped sources on the public data that they describe: what comes out are the published figures, exactly."""

import os
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from orchestration.settings import PROJECT_DIR
from tests.marts import build_marts, rows
from tests.sql import select

DATA = Path(os.environ.get("CLIENTELE_TEST_DATA", ""))
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not os.environ.get("CLIENTELE_TEST_DATA"), reason="CLIENTELE_TEST_DATA names no folder of data"),
]


def _build(factory: pytest.TempPathFactory, marts_dir: Path, *, source: str, data: Path) -> Path:
    """Put a shipped source beside its data, as its first lines say, and take it to its marts."""
    folder = factory.mktemp(data.parent.name)
    shutil.copy(PROJECT_DIR / "sources" / source, folder)
    for file in data.iterdir() if data.is_dir() else [data]:
        shutil.copyfile(file, folder / file.name)
    return build_marts(folder / source, data_dir=marts_dir)


@pytest.fixture(scope="module")
def online_retail(tmp_path_factory: pytest.TempPathFactory, marts_dir: Path) -> Path:
    data = DATA / "online_retail" / "online_retail.csv.gz"
    return _build(tmp_path_factory, marts_dir, source="online_retail.yml", data=data)


@pytest.fixture(scope="module")
def telco(tmp_path_factory: pytest.TempPathFactory, marts_dir: Path) -> Path:
    return _build(tmp_path_factory, marts_dir, source="telco.yml", data=DATA / "telco" / "telco.csv")


@pytest.fixture(scope="module")
def olist(tmp_path_factory: pytest.TempPathFactory, marts_dir: Path) -> Path:
    return _build(tmp_path_factory, marts_dir, source="olist.yml", data=DATA / "olist_sample")


def test_every_line_and_penny_of_online_retail_is_accepted(online_retail: Path) -> None:
    totals = rows(
        online_retail,
        "select measure, received, accepted, difference from quality.reconciliation "
        "where entity = 'transactions' order by measure",
    )
    net = Decimal("9747747.934")
    assert totals == [("amount", net, net, Decimal(0)), ("rows", Decimal(541909), Decimal(541909), Decimal(0))]
    assert rows(online_retail, "select sum(net_amount) from marts.fct_transactions") == [(net,)]


def test_guests_cancellations_and_kept_repeats_are_counted_as_published(online_retail: Path) -> None:
    counted = rows(
        online_retail,
        """
        select
            count(*) filter (customer_id is null),
            count(distinct customer_id),
            count(*) filter (kind = 'cancellation'),
            count(*) filter (kind = 'adjustment' and net_amount <> 0),
            count(*) filter (net_amount = 0)
        from marts.fct_transaction_lines
        """,
    )
    assert counted == [(135080, 4372, 9288, 3, 2515)]
    received = f"read_csv('{online_retail.parent}/online_retail.csv.gz', all_varchar = true)"
    repeats = rows(
        online_retail,
        f"select (select count(*) from {received}) - (select count(*) from (select distinct * from {received})), "
        "count(*) from marts.fct_transaction_lines",
    )
    assert repeats == [(5268, 541909)]


def test_what_known_customers_bought_and_paid_is_as_published(online_retail: Path) -> None:
    bought = rows(
        online_retail,
        "select count(*), count(distinct customer_id), count(distinct transaction_id), sum(net_amount) "
        "from marts.fct_transaction_lines where customer_id is not null and quantity > 0 and net_amount > 0",
    )
    assert bought == [(397884, 4338, 18532, Decimal("8911407.904"))]


def test_each_rule_is_a_step_with_its_number(online_retail: Path) -> None:
    steps = {
        row[0]: row[1:]
        for row in rows(
            online_retail,
            "select step, line_count, line_count_left, customer_count_left, net_amount_left from quality.rule_steps",
        )
    }
    assert steps["guest"][0] == 135080
    assert steps["zero_price"][1:] == (397884, 4338, Decimal("8911407.9040"))
    assert steps["taken_back_later"][1:] == (*steps["kept"][:1], 4319, Decimal("8121711.2530"))
    assert sum(row[0] for row in steps.values()) == 541909


def test_non_products_keep_their_money_and_make_no_purchase(online_retail: Path) -> None:
    by_kind = rows(
        online_retail,
        "select is_product, count(*) > 0, sum(net_amount) from marts.fct_transaction_lines group by 1 order by 1",
    )
    assert [row[0] for row in by_kind] == [False, True]
    assert sum(row[2] for row in by_kind) == Decimal("9747747.934")
    without_goods = rows(
        online_retail,
        """
        select count(*) from marts.fct_transactions as t
        where is_purchase and not exists (
            select 1 from marts.fct_transaction_lines as l
            where l.transaction_id = t.transaction_id and l.is_product and l.kind = 'sale' and l.net_amount > 0
        )
        """,
    )
    assert without_goods == [(0,)]


def test_a_source_of_contracts_alone_reaches_its_marts(telco: Path) -> None:
    contracts = rows(
        telco, "select count(*), count(*) filter (not is_active), sum(monthly_amount) from marts.fct_subscriptions"
    )
    assert contracts == [(7043, 1869, Decimal("456116.6000"))]
    assert rows(telco, "select count(*) from marts.dim_customers where has_profile") == [(7043,)]
    assert rows(telco, "select count(*) from marts.fct_transactions") == [(0,)]
    assert rows(telco, "select count(*) from quality.reconciliation where difference <> 0") == [(0,)]
    switched = dict(rows(telco, "select capability, is_available from quality.data_capabilities"))
    assert switched["contract_churn"]
    assert not switched["kpis"]


def test_olist_finds_the_customer_of_an_item_two_files_away(olist: Path) -> None:
    lines = "select count(*), count(customer_id), sum(net_amount) from marts.fct_transaction_lines"
    assert rows(olist, lines) == [(8992, 8992, Decimal("637000.7700"))]
    excluded = "select excluded from quality.reconciliation where entity = 'transactions' and measure = 'rows'"
    assert rows(olist, excluded) == [(Decimal(46),)]  # of cancelled and unavailable orders, twice 23
    assert rows(olist, "select count(*) from quality.rejected_rows") == [(0,)]
    rated = "select count(*), count(customer_id), round(avg(rating), 2) from marts.fct_feedback"
    assert rows(olist, rated)[0][:2] == (3924, 3924)
    categories = {name for (name,) in rows(olist, "select distinct category from marts.dim_products")}
    assert "health_beauty" in categories
    assert "beleza_saude" not in categories


def _regions(warehouse: Path) -> pl.DataFrame:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = ("dim_customers", "fct_transactions")
        return select("rpt_regions", {name: connection.sql(f"from marts.{name}").pl() for name in names})


def test_the_regions_of_olist_hold_every_real_and_no_small_city(olist: Path) -> None:
    regions = _regions(olist)
    totals = regions.group_by("level").agg(pl.col("net_amount").sum())
    assert dict(totals.iter_rows()) == dict.fromkeys(("city", "region", "country", "all"), Decimal("637000.7700"))
    assert regions["buyer_count"].min() == 11  # juiz de fora, macae
    assert "rio de janeiro" in regions["city"]
    assert "other regions" in regions["region"]  # Acre, Amazonas, Rondônia, Roraima and Tocantins
    assert regions["latitude"].is_null().all()  # the sample has no coordinates


def test_the_countries_of_online_retail_are_those_of_its_invoices(online_retail: Path) -> None:
    countries = _regions(online_retail).filter(pl.col("level") == "country")
    assert "France" in countries["country"]
    assert "EIRE" not in countries["country"]  # three customers
    known = rows(online_retail, "select sum(net_amount) from marts.fct_transactions where customer_id is not null")
    assert [(countries["net_amount"].sum(),)] == known


def test_cdnow_holds_every_customer_and_purchase_of_the_cohort(
    tmp_path_factory: pytest.TempPathFactory, marts_dir: Path
) -> None:
    folder = tmp_path_factory.mktemp("cdnow")
    shutil.copy(PROJECT_DIR / "sources" / "cdnow.yml", folder)
    cdnow = build_marts(folder / "cdnow.yml", data_dir=marts_dir)
    held = "select count(*), count(distinct customer_id), sum(net_amount) from marts.fct_transaction_lines"
    assert rows(cdnow, held) == [(69659, 23570, Decimal("2500315.6300"))]
    put_aside = "select rejected, excluded, difference from quality.reconciliation where entity = 'transactions'"
    assert rows(cdnow, f"{put_aside} and measure = 'rows'") == [(Decimal(0), Decimal(1), Decimal(0))]  # the header
