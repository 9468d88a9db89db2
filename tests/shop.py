"""A tiny shop as a company would hand it over: CSV files with planted defects, each knowing what must become of it.

One year up to AS_OF of 700 customers, enough that churn and CLV models are really trained. What the rows must turn
into stands beside the rows; assertions belong in the tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.messages import messages

FIRST, AS_OF = date(2025, 7, 1), date(2026, 6, 30)
DAYS = (AS_OF - FIRST).days + 1
CUSTOMERS = 700

CANARIES = ("@canary.example", "+4915550", "Canarina")
"""Every e-mail, phone number and name of the shop holds one of these; nothing else does."""

REFUSED = {"analytics": "c0101", "profiling": "c0100", "marketing": "c0107"}
"""Who opted out of what in winter. All customers named here bought lately, so that they would be scored."""
REFUSED_LATER, REFUSED_AFTER, GRANTED_AGAIN = "c0112", "c0108", "c0109"
"""Who opted out of profiling on 15 June, after the as-of date, and in winter to come back in spring."""

ENGLISH, GERMAN = 440, 40
"""Messages with a rating and a text by language; the writers are the first customers."""

SOURCE = """
name: tiny_shop
timezone: Europe/Berlin
currency: EUR
notice: A shop that only tests visit.
entities:
  transactions:
    files: transactions-*.csv
    columns:
      transaction_id: '"order"'
      customer_id: card
      occurred_at: sold_at
      product_id: sku
      quantity: qty
      amount: paid
      discount_amount: saved
      kind: type
      store_id: till
    where: till <> 'TRAINING'
  customers:
    files: customers.csv
    columns:
      {customer_id: card, created_at: joined, birth_date: born, age_band: age, city: town, email: mail, phone: phone,
       full_name: name, loyalty_tier: tier, updated_at: changed}
  products:
    files: products.csv
    columns: {product_id: sku, name: label, category: cat, department: dept, brand: brand}
  campaigns:
    files: campaigns.csv
    columns: {campaign_id: id, name: label, kind: kind, started_at: start}
  campaign_contacts:
    files: contacts.csv
    columns: {customer_id: card, campaign_id: campaign, contacted_at: sent, is_control: control, responded_at: answered}
  consents:
    files: consents.csv
    columns: {customer_id: card, purpose: purpose, granted: granted, effective_at: since}
  feedback:
    files: feedback.csv
    columns: {feedback_id: no, customer_id: card, product_id: sku, created_at: at, rating: stars, text: said}
experiments:
  winback:
    purpose: whether a voucher brings people back
    arms: {control: 1, voucher: 1}
    eligible: recency_days > 60
    starts_on: 2026-06-15
    ends_on: 2026-07-31
  spring:
    assigned_by: data
    arms: {control: {}, mailed: {campaigns: spring}}
    metrics: [response, net_amount]
actions:
  activations:
    regulars: {where: transaction_count > 2, columns: [rfm_segment, loyalty_tier], folder: out}
models:
  churn: {horizon_days: 30, active_window_days: 90, minimum_customers: 200, minimum_outcomes: 50}
  clv: {horizons_days: [60], minimum_customers: 200}
"""

HEADERS = {
    "transactions": "order,card,sold_at,sku,qty,paid,saved,type,till",
    "customers": "card,joined,born,age,town,mail,phone,name,tier,changed",
    "products": "sku,label,cat,dept,brand",
    "campaigns": "id,label,kind,start",
    "campaign_contacts": "card,campaign,sent,control,answered",
    "consents": "card,purpose,granted,since",
    "feedback": "no,card,sku,at,stars,said",
}


class Row(NamedTuple):
    """One line of a file, its money, and what must become of it."""

    text: str
    amount: Decimal | None = None
    status: str = "accepted"
    reason: str | None = None
    field: str | None = None


class Rejected(NamedTuple):
    """One row of quality.rejected_rows."""

    entity: str
    source_file: str
    row_number: int
    reason: str
    field: str | None


@dataclass(frozen=True)
class Shop:
    """The shop's folder, its source file, and every row that was written, by entity and file."""

    folder: Path
    rows: dict[tuple[str, str], list[Row]]

    @property
    def source(self) -> Path:
        """The source file."""
        return self.folder / "tiny_shop.yml"

    def of(self, entity: str) -> list[Row]:
        """All rows of an entity."""
        return [row for (name, _), rows in self.rows.items() if name == entity for row in rows]

    def rejected(self) -> set[Rejected]:
        """What quality.rejected_rows must hold: rows are numbered by their line in the file, the header is line 1."""
        return {
            Rejected(entity, file, line, row.reason or "", row.field)
            for (entity, file), rows in self.rows.items()
            for line, row in enumerate(rows, start=2)
            if row.status == "rejected"
        }


def write_shop(folder: Path, *, shuffle: int | None = None) -> Shop:
    """Write the shop into a folder; `shuffle` is the seed of another order of the rows within each file."""
    sold = [*_sales(), *_planted_sales()]
    half = len(sold) // 2
    rows = {
        ("transactions", "transactions-1.csv"): sold[:half],
        ("transactions", "transactions-2.csv"): [*sold[half:], *_redelivered(sold[:20])],
        ("customers", "customers.csv"): [*_customers()],
        ("products", "products.csv"): [*_products()],
        ("campaigns", "campaigns.csv"): [*_campaigns()],
        ("campaign_contacts", "contacts.csv"): [*_contacts()],
        ("consents", "consents.csv"): [*_consents()],
        ("feedback", "feedback.csv"): [*_feedback()],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny_shop.yml").write_text(SOURCE)
    for (entity, file), lines in rows.items():
        if shuffle is not None:
            np.random.default_rng(shuffle).shuffle(lines)  # type: ignore[arg-type] # a list of tuples
        (folder / file).write_text("\n".join([HEADERS[entity], *(row.text for row in lines)]) + "\n")
    return Shop(folder, rows)


def _sales() -> Iterator[Row]:
    """What customers bought at their own pace until they left, some returns, and a guest at every day's close."""
    random = np.random.default_rng(7)
    for customer in range(CUSTOMERS):
        day = float(random.integers(0, 200))
        gap, leaves, basket = 1 / random.gamma(1.5, 0.04), random.beta(0.7, 5), random.gamma(4, 600)
        visit = 0
        while day < DAYS:
            at = datetime.combine(FIRST, datetime.min.time()) + timedelta(
                days=int(day), minutes=int(random.integers(540, 1200))
            )
            for line in range(int(random.integers(1, 4))):
                cents = int(random.gamma(4, basket / 4)) + 1
                off = cents // 10 if random.random() < 0.2 else 0
                sku = f"p{int(random.integers(0, 30)):02}"
                yield _sale(f"o{customer}-{visit}", f"c{customer:04}", at, sku, cents, off=off, qty=1 + line)
            if random.random() < 0.03:
                yield _sale(f"r{customer}-{visit}", f"c{customer:04}", at + timedelta(hours=1), sku, -cents, qty=-1)
            if random.random() < leaves:
                break
            day += random.exponential(gap)
            visit += 1
    for day_number in range(DAYS):
        close = datetime.combine(FIRST + timedelta(days=day_number), datetime.min.time()) + timedelta(minutes=1290)
        yield _sale(f"g{day_number}", "", close, "p01", 250)


def _sale(order: str, card: str, at: datetime, sku: str, cents: int, *, off: int = 0, qty: int = 1) -> Row:
    amount = Decimal(cents) / 100
    return Row(
        f"{order},{card},{at:%Y-%m-%d %H:%M:%S},{sku},{qty},{amount:.2f},{Decimal(off) / 100:.2f},,till1", amount
    )


def _planted_sales() -> Iterator[Row]:
    """One line for each thing that goes wrong in a shop's export, and for each that only looks wrong."""
    five = Decimal("5.00")
    yield Row("d1,c0001,2026-02-30 10:00:00,p01,1,5.00,,,till1", five, "rejected", "invalid_value", "occurred_at")
    yield Row("d2,c0001,,p01,1,5.00,,,till1", five, "rejected", "missing_value", "occurred_at")
    yield Row("d3,c0001,1066-10-14 10:00:00,p01,1,5.00,,,till1", five, "rejected", "out_of_range", "occurred_at")
    yield Row("d4,c0001,2999-01-01 10:00:00,p01,1,5.00,,,till1", five, "rejected", "out_of_range", "occurred_at")
    yield Row("d5,c0001,2026-03-01 10:00:00,p01,1,five,,,till1", None, "rejected", "invalid_value", "amount")
    yield Row("d6,c0001,2026-03-01 10:00:00,p01,1,,,,till1", None, "rejected", "missing_value", "amount")
    yield Row("d7,c0001,2026-03-01 10:00:00,p01,two,5.00,,,till1", five, "rejected", "invalid_value", "quantity")
    yield Row("d8,c0001,2026-03-01 10:00:00,p01,1,5.00,,gift,till1", five, "rejected", "invalid_value", "kind")
    yield Row(",c0001,2026-03-01 10:00:00,p01,1,5.00,,,till1", five, "rejected", "missing_value", "transaction_id")
    for card in ("c0001", "c0002"):
        yield Row(
            f"d10,{card},2026-03-01 10:00:00,p01,1,5.00,,,till1", five, "rejected", "conflicting_key", "customer_id"
        )
    yield Row("d11,c0001,2026-03-01,p01,1,5.00,,,till1,one,too,many", None, "rejected", "unreadable_line", None)
    yield Row("d12,c0001,2026-03-01 10:00:00,p01,1,5.00,,,TRAINING", five, "excluded", "where")
    yield Row("d13,c0001,2026-07-01 08:00:00,p01,1,5.00,,,till1", five, "excluded", "after_as_of")  # a day half over
    yield Row("k1,c0001,2026-03-02 10:00:00,unknown sku,1,7.00,,,till1", Decimal("7.00"))
    yield Row("k2,c0003,2026-03-02 10:00:00,p01,1,0.00,,,till1", Decimal(0))
    yield Row("k3,c0004,2026-03-02 10:00:00,p01,-1,-1.00005,,,till1", Decimal("-1.0001"))
    yield Row("k4,c0005,2026-03-02T10:00:00Z,p01,1,1.00005,,SALE,till1", Decimal("1.0001"))


def _redelivered(rows: list[Row]) -> list[Row]:
    """The same lines again in the next file: repeats of what was accepted."""
    return [row._replace(status="repeated", reason="exact_repeat") for row in rows]


def _customers() -> Iterator[Row]:
    for number in range(CUSTOMERS - 10):
        yield _customer(number)
    yield _customer(690, town="Ulm")._replace(status="rejected", reason="conflicting_key", field="customer_id")
    yield _customer(690, town="Jena")._replace(status="rejected", reason="conflicting_key", field="customer_id")
    yield _customer(691, town="Bonn")
    yield _customer(691, town="Kiel", changed="2025-12-31")._replace(status="superseded", reason="newer_version")
    yield _customer(692)
    yield _customer(692)._replace(status="repeated", reason="exact_repeat")
    yield _customer(693, born="31.02.1990")._replace(status="rejected", reason="invalid_value", field="birth_date")
    yield _customer(694, card="")._replace(status="rejected", reason="missing_value", field="customer_id")
    yield _customer(695, joined="2026-07-02 09:00:00")._replace(status="excluded", reason="after_as_of")
    yield Row(_customer(696).text + ",one,too,many", None, "rejected", "unreadable_line")


def _customer(
    number: int,
    *,
    card: str | None = None,
    joined: str = "2025-07-01 09:00:00",
    born: str = "1980-05-05",
    town: str = "Köln",
    changed: str = "2026-01-01",
) -> Row:
    card = f"c{number:04}" if card is None else card
    private = f"p{number}{CANARIES[0]},{CANARIES[1]}{number:06},{CANARIES[2]} {number}"
    return Row(f"{card},{joined},{born},{20 + number % 5}0s,{town},{private},tier {number % 3},{changed}")


def _products() -> Iterator[Row]:
    for number in range(30):
        yield Row(f"p{number:02},Product {number},cat {number % 4},dept {number % 2},brand {number % 5}")


def _campaigns() -> Iterator[Row]:
    yield Row("spring,Spring mailing,mail,2026-03-01")
    yield Row("autumn,Autumn mailing,mail,2026-09-01", None, "excluded", "after_as_of")


def _contacts() -> Iterator[Row]:
    for number in range(40):
        yield Row(f"c{number:04},spring,2026-03-05 08:00:00,{'true' if number < 5 else 'false'},")
    for number in range(10, 20):
        yield Row(f"c{number:04},spring,,,2026-03-09 12:00:00")
    yield Row("c0050,spring,2026-03-05 08:00:00,perhaps,", None, "rejected", "invalid_value", "is_control")
    yield Row("c0051,autumn,,false,", None, "excluded", "after_as_of")


def _consents() -> Iterator[Row]:
    for purpose, card in REFUSED.items():
        yield Row(f"{card},{purpose},no,2026-01-10 09:00:00")
    yield Row(f"{REFUSED_LATER},profiling,no,2026-06-15 09:00:00")
    yield Row(f"{REFUSED_AFTER},profiling,no,2026-07-02 09:00:00", None, "excluded", "after_as_of")
    yield Row(f"{GRANTED_AGAIN},profiling,no,2026-01-10 09:00:00")
    yield Row(f"{GRANTED_AGAIN},profiling,yes,2026-04-10 09:00:00")
    yield Row("c0001,advertising,no,2026-01-10 09:00:00", None, "rejected", "invalid_value", "purpose")


def _feedback() -> Iterator[Row]:
    """What customers wrote: most in English, too few in German to learn from, and one who refuses profiling."""
    for number, (stars, said) in enumerate(messages(ENGLISH, GERMAN)):
        card, day = f"c{number:04}", FIRST + timedelta(days=int(number * 0.7))
        yield Row(f"f{number},{card},p{number % 30:02},{day} 12:00:00,{stars},{said} {CANARIES[1]}{number:06}")
    yield Row("f900,c0001,p01,2026-06-01 12:00:00,,Where is my parcel? It was promised for Monday.")
    yield Row("f901,,p01,2026-06-01 12:00:00,5,Great fabric and a very friendly shop assistant.")
    yield Row("f902,c0002,p01,2026-06-01 12:00:00,many,no idea", None, "rejected", "invalid_value", "rating")
    yield Row("f903,c0002,p01,2026-07-02 12:00:00,5,Great again", None, "excluded", "after_as_of")
