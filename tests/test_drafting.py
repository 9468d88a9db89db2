"""What `clientele init` makes of files: a source file that loads, with every guess marked as one."""

from pathlib import Path

import pytest

from orchestration.errors import InputError
from orchestration.intake.draft_formats import format_of
from orchestration.intake.drafting import draft
from orchestration.intake.source_file import load_source
from tests.commands import clientele

ORDERS = "order_no,customer,ordered_at,sku,pieces,unit_price,remark\n1,ada,2024-01-01 10:00:00,mug,2,4.50,hello\n"
PEOPLE = "customer_id;city;signup\nada;Ulm;2023-05-01\n"


def drafted(folder: Path, **files: str) -> Path:
    paths = []
    for name, content in files.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(content)
    out = folder / "my_company.yml"
    out.write_text(draft(paths, out=out))
    return out


def test_the_draft_of_usual_files_is_a_source_that_loads(tmp_path: Path) -> None:
    out = drafted(tmp_path, orders=ORDERS, people=PEOPLE)
    source = load_source(out)
    (orders,), (people,) = source.entities["transactions"], source.entities["customers"]
    assert (source.name, orders.files, people.files) == ("my_company", ("orders.csv",), ("people.csv",))
    assert orders.columns == {
        "transaction_id": "order_no",
        "customer_id": "customer",
        "occurred_at": "ordered_at",
        "product_id": "sku",
        "quantity": "pieces",
        "amount": "try_cast(pieces as decimal(18, 4)) * try_cast(unit_price as decimal(18, 4))",
    }
    assert people.columns == {"customer_id": "customer_id", "created_at": "signup", "city": "city"}
    assert all(
        "# guess" in line
        for line in out.read_text().splitlines()
        if line.startswith("      ") and "# not used" not in line
    )


DOUBT = "; day and month could be the other way round"
BESTELLUNGEN = """Bestellnr;Kundennummer;Datum;Menge;Einzelpreis;Rabatt
1;K1;31.01.2026;2;1.073,50;0,00
2;K2;01.02.2026;1;3,20;0,50
"""


def test_dates_and_numbers_written_otherwise_than_by_default_are_seen_and_said(tmp_path: Path) -> None:
    out = drafted(tmp_path, bestellungen=BESTELLUNGEN)
    (orders,) = load_source(out).entities["transactions"]
    assert orders.columns["transaction_id"] == "Bestellnr"
    assert orders.columns["occurred_at"] == "Datum"
    assert (orders.options.date_formats, orders.options.decimal, orders.options.thousands) == (("%d.%m.%Y",), ",", ".")
    amount = "try_cast(replace(replace({}, '.', ''), ',', '.') as decimal(18, 4))"
    assert orders.columns["amount"] == f"{amount.format('Menge')} * {amount.format('Einzelpreis')}"


@pytest.mark.parametrize(
    ("dates", "numbers", "line"),
    [
        (["2026-01-31", "2026-02-01 10:00:00"], ["1.50", "2"], None),
        (["31/01/2026"], [], "options: {date_formats: ['%d/%m/%Y']} # guess by its first rows"),
        (["01/31/2026 9:05"], [], "options: {date_formats: ['%m/%d/%Y %H:%M']} # guess by its first rows"),
        (
            ["01/02/2026"],
            [],
            f"options: {{date_formats: ['%d/%m/%Y']}} # guess by its first rows{DOUBT}",
        ),
        ([], ["1,50", "-0,20", "7"], "options: {decimal: ','} # guess by its first rows"),
        ([], ["1,234.50", "7"], "options: {thousands: ','} # guess by its first rows"),
        (["soon"], ["many", "1,5"], None),
        ([], [], None),
    ],
)
def test_a_format_is_one_that_all_first_values_have(dates: list[str], numbers: list[str], line: str | None) -> None:
    assert format_of([dates], [numbers]).line() == line


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("book.xlsx", b"PK\x03\x04", "is a spreadsheet: save each sheet of it as CSV"),
        ("empty.csv", b"", "is empty: it needs a line with the names of its columns"),
        ("image.csv", b"\x89PNG\r\n\x00\x00", "is no text"),
    ],
)
def test_what_is_no_table_is_refused_with_a_way_out(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        draft([tmp_path / name], out=tmp_path / "out.yml")
    with pytest.raises(InputError, match="is a folder: name the files in it"):
        draft([tmp_path], out=tmp_path / "out.yml")


def test_whole_numbers_that_were_written_with_a_point_are_ids_without_it(tmp_path: Path) -> None:
    with_gaps = ORDERS.replace("ada", "17850.0") + "2,,2024-01-01 11:00:00,cup,1,2.50,\n"
    out = drafted(tmp_path, orders=with_gaps, people="customer_id;city\n17850.0;Ulm\nA1.0;Bonn\n")
    source = load_source(out)
    (orders,), (people,) = source.entities["transactions"], source.entities["customers"]
    assert orders.columns["customer_id"] == r"regexp_replace(customer, '\.0$', '')"
    assert people.columns["customer_id"] == "customer_id"
    assert "# guess by same name, without the .0 behind its numbers" in out.read_text()


def test_what_is_required_and_not_found_is_left_to_fill_in(tmp_path: Path) -> None:
    text = drafted(tmp_path, orders=ORDERS.replace("unit_price", "colour").replace("4.50", "red")).read_text()
    assert "amount: FILL_IN # required, and no column looks like it" in text
    assert "# not used: colour, remark" in text


def test_a_file_that_is_none_and_a_draft_that_exists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv does not exist"):
        draft([tmp_path / "nowhere.csv"], out=tmp_path / "out.yml")
    out = drafted(tmp_path, orders=ORDERS)
    done = clientele("init", str(tmp_path / "orders.csv"), "--out", str(out), source=out, data_dir=tmp_path / "data")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "exists already: name another file with --out" in done.stderr
