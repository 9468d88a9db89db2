"""A newcomer's walk, as `docs/connect_your_data.md` leads it: own files, a draft, a run, and a customer in words."""

import json
import re
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from tests.commands import Finished, clientele

HEADER = "Bestellnr;Kundennummer;Datum;Artikel;Menge;Preis\n"
CUSTOMERS, LAST = 24, date(2026, 3, 31)


def orders() -> list[tuple[str, Decimal]]:
    """A small shop's order lines as it would export them, each with what was paid; customer n buys every n + 5 days."""
    found = []
    for customer in range(1, CUSTOMERS + 1):
        day, number = LAST - timedelta(days=180 - customer), 0
        while day <= LAST:
            quantity, price = number % 3 + 1, Decimal(f"{customer}.{number % 10}5")
            written = f"B{customer}-{number};K{customer:03};{day:%d.%m.%Y};A{number % 7};{quantity};{price}"
            found.append((_decimal_comma(written), quantity * price))
            day, number = day + timedelta(days=customer + 5), number + 1
    return found


def _decimal_comma(line: str) -> str:
    head, _, price = line.rpartition(";")
    return f"{head};{price.replace('.', ',')}"


def test_from_a_file_of_ones_own_to_a_result_of_ones_own_in_ten_minutes(tmp_path: Path) -> None:
    begun, lines, source, data_dir = time.monotonic(), orders(), tmp_path / "shop.yml", tmp_path / "data"
    (tmp_path / "bestellungen.csv").write_text(HEADER + "\n".join(line for line, _ in lines) + "\n")

    def walk(*words: str) -> Finished:
        done = clientele(*words, source=source, data_dir=data_dir)
        assert done.exit_code == 0, done.stderr
        return done

    told = walk("init", str(tmp_path / "bestellungen.csv"), "--out", str(source)).stdout
    assert f"clientele check --source {source}" in told
    drafted = source.read_text()
    assert "FILL_IN" not in drafted
    source.write_text(re.sub("timezone: UTC", "timezone: Europe/Berlin", drafted))
    summary = walk("run", "--json").summary
    assert summary["received_row_count"] == len(lines)
    assert summary["rejected_row_count"] == 0
    assert summary["net_amount"] == float(sum(paid for _, paid in lines))
    assert summary["customer_count"] == CUSTOMERS
    own = walk("explain", "K001", "--json").summary
    mine = [paid for line, paid in lines if ";K001;" in line]
    assert own["history"]["purchase_count"] == len(mine)
    assert Decimal(own["history"]["net_amount"]) == sum(mine)
    asked = walk("query", "--format", "json", "from marts.dim_customers select count(*) as customers").stdout
    assert json.loads(asked) == [{"customers": CUSTOMERS}]
    assert time.monotonic() - begun < 600
