"""A seeded shop with known parameters as Parquet files of its own, with a source file, at any of the named sizes.

What is simulated stands in `sql/`: customers arrive over three years, buy at gamma rates, drop out (BG/NBD) and spend
by Gamma-Gamma; products are Zipf; lines come back, are delivered twice or corrected later; some visits name nobody.
Every draw is a hash of who, which visit, which line and the seed: the same bytes whatever the number of threads.

`python -m benchmarks.generate 1m /somewhere/1m` writes one. Measuring does not belong here.
"""

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.sizes import SIZES

FIRST_DATE, AS_OF = date(2023, 1, 1), date(2025, 12, 31)
DAYS = (AS_OF - FIRST_DATE).days + 1
CHUNK = 500_000  # customers simulated at a time
SQL = Path(__file__).with_name("sql")

SOURCE = """\
# Written by the benchmark: a simulated shop, {customers:,} customers who joined over three years.
name: simulated_shop
timezone: Europe/Berlin
currency: EUR
entities:
  transactions:
    files: deliveries/transactions-*.parquet
    columns:
      {{transaction_id: order_no, customer_id: card, occurred_at: sold_at, product_id: sku, quantity: pieces,
       amount: paid, discount_amount: saved, kind: kind, channel: channel, store_id: till, updated_at: changed_at}}
  customers:
    files: deliveries/customers-*.parquet
    columns:
      {{customer_id: card, created_at: joined_at, age_band: age_band, gender: gender, region: region,
       acquisition_channel: channel, email: email}}
  products:
    files: deliveries/products.parquet
    columns: {{product_id: sku, name: label, category: category, department: department, brand: brand}}
  consents:
    files: deliveries/consents-*.parquet
    columns: {{customer_id: card, purpose: purpose, granted: answer, effective_at: since}}
"""


@dataclass(frozen=True)
class Truth:
    """What the shop is made from; times are in days, money in the shop's currency."""

    alpha: float = 35.0  # purchase rates are Gamma(1/2, alpha)
    b: float = 6.0  # chances to drop out after a repeat purchase are Beta(1, b)
    gamma: float = 15.0  # a customer's scale of spend is gamma over a Gamma(4); a transaction is Gamma(6) of that scale
    lines: float = 2.2  # mean of the geometric number of lines of a transaction, at most 12
    guests: float = 0.3  # visits without a customer id, per customer
    returned: float = 0.03  # lines that come back within 30 days
    repeated: float = 0.005  # lines delivered twice, the same in every column
    corrected: float = 0.004  # transactions delivered again with lower prices
    unpriced: float = 0.001  # lines without an amount: to be rejected
    refused: float = 0.02  # customers who refuse a purpose, each purpose by itself


@dataclass(frozen=True)
class Delivery:
    """The files of one stretch of days, counted from the first; the end is not part of it."""

    name: str
    from_day: int
    to_day: int
    folder: str = "deliveries"


def deliveries() -> list[Delivery]:
    """One a month, and the day after the last month, which waits in a folder of its own."""
    starts = [date(year, month, 1) for year in range(FIRST_DATE.year, AS_OF.year + 1) for month in range(1, 13)]
    days = [(start - FIRST_DATE).days for start in starts] + [DAYS]
    months = [Delivery(f"{start:%Y-%m}", days[at], days[at + 1]) for at, start in enumerate(starts)]
    following = AS_OF + timedelta(days=1)
    return [*months, Delivery(following.isoformat(), DAYS, DAYS + 1, folder="next_day")]


def write_shop(
    folder: Path, *, customers: int, seed: int = 0, threads: int = 2, memory: str = "2GB", truth: Truth | None = None
) -> Path:
    """Write the shop's files and its source file into an empty folder; returns the source file.

    `deliveries/` holds what the source file names; `next_day/` what a day later adds to it.
    """
    truth = truth or Truth()
    products = max(200, customers // 50)
    folder.mkdir(parents=True)
    working = folder / "simulated.duckdb"
    config: dict[str, Any] = {"threads": threads, "memory_limit": memory, "temp_directory": str(folder / "spill")}
    with duckdb.connect(str(working), config=config) as connection:
        _prepare(connection, seed)
        _simulate(connection, customers, truth)
        known = {"products": products, "first_date": FIRST_DATE} | asdict(truth)
        for delivery in deliveries():
            (folder / delivery.folder).mkdir(exist_ok=True)
            stretch = known | {"from_day": delivery.from_day, "to_day": delivery.to_day}
            for file, entity in (("delivery", "transactions"), ("customers", "customers"), ("consents", "consents")):
                _copy(connection, file, stretch, folder / delivery.folder / f"{entity}-{delivery.name}.parquet")
        _copy(connection, "products", known, folder / "deliveries" / "products.parquet")
    working.unlink()
    shutil.rmtree(folder / "spill", ignore_errors=True)
    source = folder / "shop.yml"
    source.write_text(SOURCE.format(customers=customers))
    return source


def _prepare(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    """The draws: uniform in (0, 1) by a hash of the key, the number of the draw and the seed; normal by two of them."""
    for macro in (
        f"uniform(key, draw) as (cast(hash((key) * 64 + (draw) + {seed << 50}) >> 12 as double) + 0.5) / {2**52}",
        "normal(key, draw, other) as sqrt(-2 * ln(uniform(key, draw))) * cos(2 * pi() * uniform(key, other))",
        "visit_key(customer, visit) as (customer) * 4096 + (visit)",
        "card(customer) as 'c' || (100000000 + (customer))",
        "at_second(second, first_date) as make_timestamp(epoch_us(cast(first_date as timestamp)) + (second) * 1000000)",
        "cents_as_money(cents) as cast(cast(cents as decimal(18, 0)) * 0.01 as decimal(12, 2))",
    ):
        connection.execute(f"create macro {macro}")
    connection.execute(
        "create table visits (customer bigint, visit integer, moment double, cents bigint, is_known boolean)"
    )


def _simulate(connection: duckdb.DuckDBPyConnection, customers: int, truth: Truth) -> None:
    stretch = {"days": DAYS + 1}
    parameters = stretch | {name: getattr(truth, name) for name in ("alpha", "b", "gamma")}
    visits = (SQL / "visits.sql").read_text()
    for first in range(0, customers, CHUNK):
        last = min(first + CHUNK, customers)
        connection.execute(visits, parameters | {"first": first, "last": last})
    guests = DAYS + 1 + round(truth.guests * customers)
    connection.execute((SQL / "guests.sql").read_text(), stretch | {"first": customers, "last": customers + guests})


def _copy(connection: duckdb.DuckDBPyConnection, file: str, parameters: dict[str, Any], target: Path) -> None:
    """Write what a query gives; only the parameters that it names are bound."""
    query = (SQL / f"{file}.sql").read_text()
    named = {name: value for name, value in parameters.items() if f"${name}" in query}
    connection.execute(f"copy ({query}) to '{target}' (format parquet, compression zstd)", named)


def line_count(shop: Path) -> int:
    """Lines of all deliveries but the next day's."""
    query = f"select count(*) from '{shop}/deliveries/transactions-*.parquet'"
    return int(duckdb.connect().execute(query).fetchall()[0][0])


if __name__ == "__main__":
    size, shop = sys.argv[1], Path(sys.argv[2])
    if not (shop / "shop.yml").exists():
        write_shop(shop, customers=SIZES[size])
    print(json.dumps({"lines": line_count(shop)}))
