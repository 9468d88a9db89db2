import gzip
import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from orchestration.errors import InputError
from orchestration.ingest import ingest, register
from orchestration.intake.entities import ENTITIES
from orchestration.intake.loads import Load
from orchestration.intake.source_file import Source, load_source
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse

SALES = "id,card,sold,paid\na,ann,2026-01-05,1.00\nb,bob,2026-01-06,2.00\n"
COLUMNS = {"transaction_id": "id", "customer_id": "card", "occurred_at": "sold", "amount": "paid"}


class Company:
    """A folder with a source file and its data, and what ingest makes of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder / "data", source=folder / "shop.yml")

    def source(self, entity: str = "transactions", **part: object) -> Source:
        given = {"files": "sales*", "columns": COLUMNS} | part
        head = {"name": "shop", "timezone": "UTC", "currency": "EUR"}
        start = {"transactions": {"files": "sales*", "columns": COLUMNS}}
        self.settings.source.write_text(json.dumps(head | {"entities": start | {entity: given}}))
        return load_source(self.settings.source)

    def load(self, entity: str = "transactions", **part: object) -> list[Load]:
        return ingest(ENTITIES[entity], source=self.source(entity, **part), settings=self.settings)

    def rows(self, entity: str = "transactions", **part: object) -> pl.DataFrame:
        warehouse = Warehouse(self.settings.warehouse_file, settings=self.settings)
        with warehouse.connect() as connection:
            register(connection, ENTITIES[entity], source=self.source(entity, **part), settings=self.settings)
        return warehouse.read(f"from raw.{entity} order by _received_at, _source_file, _row_number")

    def deliveries(self, place: str = "raw/transactions") -> list[Path]:
        return sorted((self.settings.data_dir / place).glob("*"))


@pytest.fixture
def company(tmp_path: Path) -> Company:
    (tmp_path / "sales.csv").write_text(SALES)
    return Company(tmp_path)


def test_every_row_has_its_file_and_its_number_and_text_as_it_was_received(company: Company) -> None:
    assert company.load() == [Load("transactions", "sales.csv", "loaded", 2)]
    rows = company.rows()
    assert rows.select("transaction_id", "amount", "_source_file", "_row_number", "_defect").rows() == [
        ("a", "1.00", "sales.csv", 2, None),
        ("b", "2.00", "sales.csv", 3, None),
    ]
    assert rows["quantity"].null_count() == 2  # a column that is not mapped is there, and empty


def test_nothing_is_loaded_twice(company: Company) -> None:
    company.load()
    assert company.load() == [Load("transactions", "sales.csv", "unchanged", 2)]
    assert len(company.deliveries()) == 1


def test_the_same_content_under_another_name_is_not_loaded_again(company: Company) -> None:
    company.load()
    shutil.copy(company.folder / "sales.csv", company.folder / "sales-copy.csv")
    assert [load.outcome for load in company.load()] == ["repeated", "unchanged"]
    assert company.rows().height == 2


def test_a_changed_file_supersedes_its_rows_and_the_old_ones_are_kept(company: Company) -> None:
    company.load()
    (company.folder / "sales.csv").write_text(SALES.replace("2.00", "3.00"))
    assert company.load() == [Load("transactions", "sales.csv", "changed", 2)]
    assert company.rows().select("amount", "_is_superseded").rows() == [
        ("1.00", True), ("2.00", True), ("1.00", False), ("3.00", False),
    ]  # fmt: skip
    assert len(company.deliveries()) == 2


def test_rows_of_a_file_that_went_away_stay(company: Company) -> None:
    (company.folder / "sales-2.csv").write_text(SALES.replace("a,", "c,").replace("b,", "d,"))
    company.load()
    (company.folder / "sales.csv").unlink()
    company.load()
    assert sorted(company.rows().filter(~pl.col("_is_superseded"))["transaction_id"]) == ["a", "b", "c", "d"]


def test_a_changed_mapping_reads_the_file_again_and_replaces_the_older_reading(company: Company) -> None:
    company.load()
    columns = COLUMNS | {"amount": "paid::decimal(9, 2) * 2"}
    assert [load.outcome for load in company.load(columns=columns)] == ["changed"]
    assert company.rows(columns=columns)["amount"].cast(pl.String).to_list() == ["2.00", "4.00"]


def test_a_row_outside_where_is_received_and_marked(company: Company) -> None:
    company.load(where="card <> 'bob'")
    assert company.rows()["_is_excluded"].to_list() == [False, True]


def test_an_unreadable_line_is_a_row_without_values_with_its_line_number(company: Company) -> None:
    (company.folder / "sales.csv").write_text(SALES + "c,eve,2026-01-07,3.00,one,too,many\nd,dan,2026-01-08,4.00\n")
    assert company.load()[0].row_count == 4
    found = company.rows().select("transaction_id", "amount", "_row_number", "_defect").rows()
    assert sorted(found, key=str) == sorted(
        [("a", "1.00", 2, None), ("b", "2.00", 3, None), ("d", "4.00", 5, None), (None, None, 4, "unreadable_line")],
        key=str,
    )


@pytest.mark.parametrize("kind", ["semicolons", "tabs", "gzip", "latin-1", "parquet"])
def test_the_same_rows_come_out_of_other_formats(company: Company, kind: str) -> None:
    (company.folder / "sales.csv").unlink()
    options: dict[str, str] = {}
    if kind == "gzip":
        (company.folder / "sales.csv.gz").write_bytes(gzip.compress(SALES.encode()))
    elif kind == "parquet":
        pl.read_csv(SALES.encode(), infer_schema=False).write_parquet(company.folder / "sales.parquet")
    elif kind == "latin-1":
        options = {"encoding": "latin-1"}
        (company.folder / "sales.csv").write_bytes(SALES.replace("bob", "zoë").encode("latin-1"))
    else:
        (company.folder / "sales.csv").write_text(SALES.replace(",", {"semicolons": ";", "tabs": "\t"}[kind]))
    company.load(options=options)
    rows = company.rows(options=options)
    first = 1 if kind == "parquet" else 2  # in text files the header is line 1
    assert rows.select("transaction_id", "amount", "_row_number").rows() == [
        ("a", "1.00", first),
        ("b", "2.00", first + 1),
    ]
    assert rows["customer_id"].to_list() == ["ann", "zoë" if kind == "latin-1" else "bob"]


def test_identifiers_go_to_the_vault_with_the_customer_and_never_into_raw(company: Company) -> None:
    (company.folder / "people.csv").write_text("card,mail,town\nann,ann@canary.example,Ulm\n")
    part = {"files": "people.csv", "columns": {"customer_id": "card", "email": "mail", "city": "town"}}
    company.load("customers", **part)
    assert [file.name for file in company.deliveries("vault/customers")] == [
        file.name for file in company.deliveries("raw/customers")
    ]
    vault = pl.read_parquet(company.deliveries("vault/customers")[0] / "rows.parquet")
    assert vault.select("customer_id", "email").rows() == [("ann", "ann@canary.example")]
    raw = pl.read_parquet(company.deliveries("raw/customers")[0] / "rows.parquet")
    assert {"email", "mail"}.isdisjoint(raw.columns)
    assert "canary" not in raw.write_csv()
    assert company.rows("customers", **part)["city"].to_list() == ["Ulm"]


def test_what_a_killed_run_left_is_cleared_and_loaded_anew(company: Company) -> None:
    for place in ("raw/.20260101-abc", "vault/.20260101-abc", "vault/20260101-abc"):  # the vault comes first
        folder = company.settings.data_dir / place.replace("/", "/transactions/")
        folder.mkdir(parents=True)
        (folder / "rows.parquet").write_bytes(b"half")
    assert company.load() == [Load("transactions", "sales.csv", "loaded", 2)]
    assert company.deliveries("vault/transactions") == []
    assert [folder.name[0] for folder in company.deliveries()] == ["2"]


def test_a_file_that_does_not_load_leaves_nothing_behind(company: Company) -> None:
    (company.folder / "sales.parquet").write_text("this is text")
    with pytest.raises(InputError, match=r"entities.transactions: sales.parquet: it cannot be read as a Parquet file"):
        company.load(files="sales.parquet")
    assert company.deliveries() == []


def test_a_wrong_column_name_names_the_field_the_file_and_the_nearest_column(company: Company) -> None:
    with pytest.raises(InputError) as error:
        company.load(columns=COLUMNS | {"amount": "payed"})
    assert str(error.value) == (
        "shop.yml: entities.transactions.columns.amount: sales.csv has no column 'payed'; did you mean 'paid'?"
    )
    assert company.deliveries() == []


@pytest.mark.parametrize(
    "expression",
    [
        "(select content from read_text('{secret}'))",
        "(select max(column0) from read_csv('{secret}', header = false))",
        "(select count(*) from glob('/*'))",
        "1); copy (select 1) to '{folder}/out.csv'; select (1",
        "1); attach '{folder}/out.duckdb'; select (1",
        "1); set enable_external_access = true; select (1",
        "1); load httpfs; select (1",
    ],
)
def test_an_expression_cannot_touch_another_file(company: Company, expression: str) -> None:
    secret = company.folder / "secret.txt"
    secret.write_text("the-secret")
    before = {file.name for file in company.folder.iterdir()}
    with pytest.raises(InputError) as error:
        company.load(columns=COLUMNS | {"channel": expression.format(secret=secret, folder=company.folder)})
    assert "entities.transactions.columns.channel" in str(error.value)
    assert "the-secret" not in str(error.value)
    assert {file.name for file in company.folder.iterdir()} <= before | {"data", "shop.yml"}


@pytest.mark.parametrize(
    "expression",
    ["card::integer", "strptime(card, '%Y')", "json_extract(card, '$.x')", "regexp_matches('x', card || '(')"],
)
def test_a_value_that_an_expression_cannot_take_is_a_defect_of_its_row(company: Company, expression: str) -> None:
    load = company.load(columns=COLUMNS | {"channel": expression})[0]
    rows = company.rows(columns=COLUMNS | {"channel": expression})
    assert load.row_count == rows.height == 2
    assert rows["_defect"].to_list() == ["invalid_value.channel"] * 2


def test_an_error_that_a_mapping_raises_does_not_quote_the_value(company: Company) -> None:
    (company.folder / "sales.csv").write_text(SALES.replace("ann", "ann@canary.example"))
    with pytest.raises(InputError) as error:
        company.load(columns=COLUMNS | {"channel": "error(card)"})
    assert "canary" not in str(error.value)
    assert "entities.transactions: sales.csv" in str(error.value)
    assert company.deliveries() == []
