"""Formats: every way a file may be written gives the same rows, numbered by their lines, and no line is lost."""

import gzip
import os
import random
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from orchestration.errors import InputError
from orchestration.intake.file_reader import FileReader
from orchestration.intake.source_file import FileOptions
from tests.inbox import COLUMNS, ENTITY, HEADER, Inbox

ROWS = ["1,2024-01-01,10.50,Käse", "2,2024-01-02,-3,Brot", "3,2024-01-03,1200.25,"]
PLAIN = "\n".join([HEADER, *ROWS]) + "\n"
EXPECTED = [
    ("1", "2024-01-01", "10.50", "Käse", 2, None),
    ("2", "2024-01-02", "-3", "Brot", 3, None),
    ("3", "2024-01-03", "1200.25", None, 4, None),
]


def shop(folder: Path, content: str | bytes, name: str = "a.csv", **options: object) -> Inbox:
    made = Inbox(folder, options=options)
    made.put(content, name)
    made.ingest()
    return made


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end_gives_the_same_rows(tmp_path: Path, encoding: str, newline: str) -> None:
    content = PLAIN.replace("\n", newline).encode(encoding)
    assert shop(tmp_path, content, encoding=encoding).raw() == EXPECTED


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(PLAIN.encode())),
        ("a.csv.zst", pa.Codec("zstd").compress(PLAIN.encode(), asbytes=True)),
        ("a.CSV", PLAIN.encode()),
        ("a.csv", PLAIN.rstrip("\n").encode()),
        ("a.csv", "\ufeff".encode() + PLAIN.encode()),
        ("a.tsv", PLAIN.replace(",", "\t").encode()),
        ("a.csv", PLAIN.replace(",", ";").encode()),
        ("a.txt", PLAIN.replace(",", "|").encode()),
        ("a.csv", b'"id", "date","amount" ,"product"\n' + "\n".join(ROWS).encode()),
    ],
    ids=[
        "gzip",
        "zstd",
        "upper case",
        "no last line end",
        "mark",
        "tabs",
        "semicolons",
        "bars",
        "spaces in the header",
    ],
)
def test_what_can_be_seen_from_a_file_need_not_be_declared(tmp_path: Path, name: str, content: bytes) -> None:
    assert shop(tmp_path, content, name).raw() == EXPECTED


def test_json_lines_become_text_and_lines_that_are_no_object_are_counted(tmp_path: Path) -> None:
    lines = [
        '{"id": 1, "date": "2024-01-01", "amount": 10.50, "product": "Käse"}',
        '{"product": "Brot", "amount": -3, "date": "2024-01-02", "id": 2}',
        "",
        '{"id": 3, "date": "2024-01-03", "amount": 1200.25, "product": null}',
        "[1, 2]",
        '{"id": 4, "date"',
    ]
    assert shop(tmp_path, "\n".join(lines), "a.jsonl").raw() == [
        ("1", "2024-01-01", "10.5", "Käse", 1, None),
        ("2", "2024-01-02", "-3", "Brot", 2, None),
        ("3", "2024-01-03", "1200.25", None, 4, None),
        (None, None, None, None, 5, "unreadable_line"),
        (None, None, None, None, 6, "unreadable_line"),
    ]


def test_a_nested_json_value_and_one_that_may_be_absent_can_be_mapped(tmp_path: Path) -> None:
    made = Inbox(tmp_path, columns=COLUMNS | {"product_id": "item->>'sku'", "channel": "json->>'$.via'"})
    made.put('{"id": 1, "date": "2024-01-01", "amount": 2, "item": {"sku": "P7"}}\n', "a.ndjson")
    made.ingest()
    assert made.raw("product_id, channel") == [("P7", None)]


def test_parquet_keeps_its_types_beside_text_files_of_the_same_entity(tmp_path: Path) -> None:
    made = shop(tmp_path, PLAIN)
    frame = {"id": [9], "date": ["2024-01-09 08:00:00"], "amount": [2.5], "product": ["Milch"]}
    pl.DataFrame(frame).with_columns(pl.col("date").str.to_datetime()).write_parquet(made.inbox / "b.parquet")
    made.ingest()
    assert made.raw() == [*EXPECTED, ("9", "2024-01-09 08:00:00", "2.5", "Milch", 1, None)]


def test_decimal_comma_and_thousands_become_plain_numbers_and_misfits_are_named(tmp_path: Path) -> None:
    amounts = ["1.234,50", "1234,5", "-12", ",5", "1.5", "12,5,5", "1.23.456", "abc", "", "1234.567,00", "12.345.678"]
    content = "id;date;amount;product\n" + "\n".join(f"{n};2024-01-01;{a};" for n, a in enumerate(amounts))
    rows = shop(tmp_path, content, decimal=",", thousands=".").raw("amount, _defect")
    assert rows == [
        ("1234.50", None), ("1234.5", None), ("-12", None), (".5", None),
        ("1.5", "invalid_value.amount"), ("12,5,5", "invalid_value.amount"), ("1.23.456", "invalid_value.amount"),
        ("abc", "invalid_value.amount"), (None, None), ("1234.567,00", "invalid_value.amount"), ("12345678", None),
    ]  # fmt: skip


def test_a_full_stop_under_a_decimal_comma_is_no_number(tmp_path: Path) -> None:
    rows = shop(tmp_path, "id;date;amount;product\n1;2024-01-01;1.234;\n2;2024-01-01;1,234;\n", decimal=",")
    assert rows.raw("amount, _defect") == [("1.234", "invalid_value.amount"), ("1.234", None)]


def test_date_formats_are_tried_in_order_and_what_fits_none_stays(tmp_path: Path) -> None:
    dates = ["31.12.2023 14:30", "01.02.2024", "2024-03-04", "12/31/2024", "32.01.2024"]
    content = HEADER + "\n" + "\n".join(f"{n},{d},1," for n, d in enumerate(dates))
    made = shop(tmp_path, content, date_formats=["%d.%m.%Y %H:%M", "%d.%m.%Y"])
    assert [row[0] for row in made.raw("occurred_at")] == [
        "2023-12-31 14:30:00", "2024-02-01 00:00:00", "2024-03-04", "12/31/2024", "32.01.2024",
    ]  # fmt: skip


def test_null_markers_become_missing_values_in_both_readers(tmp_path: Path) -> None:
    content = HEADER + "\n1,2024-01-01,NA,-\n2,2024-01-02,5,x\n"
    for ending in ("", '3,2024-01-03,"open\n'):
        folder = tmp_path / f"case{len(ending)}"
        folder.mkdir()
        rows = shop(folder, content + ending, null_markers=["NA", "-"]).raw("amount, product_id")
        assert rows[:2] == [(None, None), ("5", "x")]


def test_files_without_a_header_get_their_names_from_the_options(tmp_path: Path) -> None:
    made = shop(tmp_path, "\n".join(ROWS), names=["id", "date", "amount", "product"])
    assert made.raw() == [(*row[:4], row[4] - 1, None) for row in EXPECTED]


def test_fixed_columns_are_read_as_one_and_cut_by_expressions(tmp_path: Path) -> None:
    columns = {
        "transaction_id": "substr(line, 1, 4)",
        "occurred_at": "substr(line, 5, 10)",
        "amount": "substr(line, 15)",
    }
    made = Inbox(tmp_path, columns=columns, options={"names": ["line"], "delimiter": "\x1f"})
    made.put('00012024-01-01 12.50\n00022024-01-02  1"20\n')
    made.ingest()
    assert made.raw("transaction_id, occurred_at, amount") == [
        ("0001", "2024-01-01", " 12.50"), ("0002", "2024-01-02", '  1"20'),
    ]  # fmt: skip


def test_backslash_escapes_are_read_where_they_are_declared(tmp_path: Path) -> None:
    content = HEADER + '\n1,2024-01-01,5,"say \\"cheese\\", please"\n'
    assert shop(tmp_path, content, escape="\\").raw("product_id") == [('say "cheese", please',)]


def test_folders_named_key_and_value_and_the_file_name_are_columns(tmp_path: Path) -> None:
    made = Inbox(tmp_path, files="in/**/*.csv", columns=COLUMNS | {"store_id": "store", "channel": "filename"})
    for store in ("A 1", "B'2"):
        made.put(PLAIN, f"store={store.replace(' ', '%20')}/day.csv")
    made.ingest()
    assert sorted(set(made.raw("store_id, channel"))) == [
        ("A 1", "in/store=A%201/day.csv"), ("B'2", "in/store=B'2/day.csv"),
    ]  # fmt: skip
    assert len(made.raw()) == 6, "the same bytes in another store are other rows"


def test_unreadable_lines_are_numbered_and_cost_no_other_line(tmp_path: Path) -> None:
    lines = [
        b"id,date,amount,product",
        b"1,2024-01-01,10,a",
        b"2,2024-01-02",
        b"3,2024-01-03,10,a,b,c",
        b'4,2024-01-04,10,"open',
        b"5,2024-01-05,10,a",
        b"6,2024-01-06,10,\xff",
        b"7,2024-01-07,10,\0",
        b"8,2024-01-08,10," + b"x" * 3_000_000,
        b"",
        b'9,2024-01-09,10,"two\nlines"',
        b'10,2024-01-10,10,5" pipe',
        b'11,2024-01-11,10,"open at the end',
    ]
    rows = shop(tmp_path, b"\n".join(lines)).raw("_row_number, transaction_id, _defect")
    assert rows == [
        (2, "1", None), (3, None, "unreadable_line"), (4, None, "unreadable_line"), (5, None, "unreadable_line"),
        (6, "5", None), (7, None, "unreadable_line"), (8, None, "unreadable_line"), (9, None, "unreadable_line"),
        (11, "9", None), (13, "10", None), (14, None, "unreadable_line"),
    ]  # fmt: skip


def test_two_stray_quotes_do_not_swallow_the_records_between_them(tmp_path: Path) -> None:
    content = HEADER + '\n1,2024-01-01,5,x\n2,2024-01-02,5,"y\n3,2024-01-03,5,z\n4,2024-01-04,5,w"\n'
    rows = shop(tmp_path, content).raw("_row_number, transaction_id, _defect")
    assert rows == [(2, "1", None), (3, None, "unreadable_line"), (4, "3", None), (5, "4", None)]


@pytest.mark.parametrize("seed", range(30))
def test_the_fast_reader_and_the_careful_one_agree(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable test, no secret
    values = [
        "",
        " ",
        "a",
        "ä",
        '"q"',
        '"a,b"',
        '"say ""x"""',
        ' "p"',
        '"p" ',
        'in"side',
        " lead",
        "trail ",
        "1.5",
        "=1+1",
    ]
    lines = [f"{n},2024-01-01,{n}.5,{chance.choice(values)}" for n in range(60)]
    newline = chance.choice(["\n", "\r\n"])
    content = newline.join([HEADER, *lines]) + newline
    read = []
    for name, ending in (("fast", ""), ("careful", newline)):  # after a blank line the fast reader is not believed
        (tmp_path / name).mkdir()
        read.append(shop(tmp_path / name, content + ending).raw())
    assert read[0] == read[1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\r\n\n", "only blank lines"),
        (b'"id,date,amount,product\n1,2,3,4\n', "no header"),
        ("id,date,amount,product\n".encode("utf-16"), "options.encoding"),
        (b"id,date,total,product\n1,2,3,4\n", "no column 'amount'"),
        (b"id,date,amount,Amount,product\n1,2,3,4,5\n", "amount (column 3)"),
    ],
)
def test_a_file_that_cannot_be_mapped_ends_with_a_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    made = Inbox(tmp_path)
    made.put(content)
    with pytest.raises(InputError, match=r"in/a\.csv") as error:
        made.ingest()
    assert words in str(error.value)
    assert not [*made.settings.raw_dir.glob("*/*")]


@pytest.mark.parametrize(
    "content", ["id,date,amount,product", "id,date,amount,product\r\n", '"id",date,amount,product\n\n']
)
def test_a_header_alone_is_a_delivery_without_rows(tmp_path: Path, content: str) -> None:
    assert shop(tmp_path, content).raw() == []


def test_columns_with_spaces_quotes_and_repeated_names_can_be_mapped(tmp_path: Path) -> None:
    columns = {
        "transaction_id": " Rechnung Nr ",
        "occurred_at": 'say "when"',
        "amount": '"x (column 3)"',
        "product_id": "ü",
    }
    made = Inbox(tmp_path, columns=columns)
    made.put('Rechnung Nr,"say ""when""",x,X, ü \n1,2024-01-01,5,6,k\n')
    made.ingest()
    assert made.raw("transaction_id, occurred_at, amount, product_id") == [("1", "2024-01-01", "5", "k")]


def test_a_value_that_makes_an_expression_fail_rejects_its_row_alone(tmp_path: Path) -> None:
    made = Inbox(tmp_path, columns=COLUMNS | {"amount": "amount::decimal(18, 2) * 2"}, where="id::int < 3")
    made.put(HEADER + "\n1,2024-01-01,5,a\n2,2024-01-01,five,b\nthree,2024-01-01,5,c\n4,2024-01-01,,d\n")
    made.ingest()
    assert [(str(a), b, c) for a, b, c in made.raw("amount, _is_excluded, _defect")] == [
        ("10.00", False, None), ("None", False, "invalid_value.amount"),
        ("10.00", True, "invalid_value.where"), ("None", True, None),
    ]  # fmt: skip


def test_the_count_before_a_run_is_the_count_of_the_run(tmp_path: Path) -> None:
    made = shop(tmp_path, PLAIN + '4,"\n')
    (part,) = made.source.entities["transactions"]
    assert FileReader(made.inbox / "a.csv", "in/a.csv", part, ENTITY, made.source).count() == len(made.raw()) == 4


def test_options_that_contradict_each_other_are_refused() -> None:
    for wrong in ({"decimal": ",", "thousands": ","}, {"delimiter": '"'}, {"quote": "\n"}):
        with pytest.raises(ValueError, match=r"differ|line break"):
            FileOptions.model_validate(wrong)


@pytest.mark.skipif("CLIENTELE_TEST_DATA" not in os.environ, reason="CLIENTELE_TEST_DATA names no folder of real data")
def test_online_retail_arrives_whole(tmp_path: Path) -> None:
    files = str(Path(os.environ["CLIENTELE_TEST_DATA"]) / "online_retail" / "online_retail.csv.gz")
    columns = {"transaction_id": "InvoiceNo", "occurred_at": "InvoiceDate", "amount": "Quantity"}
    (load,) = Inbox(tmp_path, files=files, columns=columns).ingest()
    assert load.row_count == 541_909
