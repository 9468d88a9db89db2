"""Hostile input: broken and malicious files end in counted rows or in a sentence, never in a crash or a lost row."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from orchestration.errors import InputError
from orchestration.intake.loads import Load
from tests.inbox import COLUMNS, HEADER, Inbox

ABSURD = [
    "1e308", "-1e308", "NaN", "inf", "9" * 400, "0000-00-00", "9999-99-99", "294247-01-10", "-5000-01-01",
    "=cmd|' /C calc'!A0", "@SUM(1+1)", "'; drop table raw.transactions; --", "../../etc/passwd",
    "\u202e\U0001f600", "x" * 200_000, "%s%n", "\ufffd",
]  # fmt: skip


def plain_lines(chance: random.Random) -> list[bytes]:
    """A clean file of forty rows, some with values that need their quotes."""
    products = ["bread", '"cheese, old"', '"say ""yes"""', "Käse", ""]
    rows = [f"{n},2024-01-{n % 28 + 1:02},{n}.25,{chance.choice(products)}" for n in range(40)]
    return [line.encode() for line in [HEADER, *rows]]


def json_lines(chance: random.Random) -> list[bytes]:
    row = '{{"id": {}, "date": "2024-01-01", "amount": {}.5, "product": "p{}"}}'
    rows = [row.format(n, n, chance.random()) for n in range(40)]
    return [row.encode() for row in rows]


def cut(line: bytes, chance: random.Random) -> bytes:
    return line[: chance.randrange(1, len(line))]


def inserted(*what: bytes) -> Callable[[bytes, random.Random], bytes]:
    def mutate(line: bytes, chance: random.Random) -> bytes:
        at = chance.randrange(len(line) + 1)
        return line[:at] + chance.choice(what) + line[at:]

    return mutate


def swapped(line: bytes, chance: random.Random) -> bytes:
    parts = line.split(b",")
    chance.shuffle(parts)
    return b",".join(parts)


def absurd(line: bytes, chance: random.Random) -> bytes:
    parts = line.split(b",")
    parts[chance.randrange(len(parts))] = chance.choice(ABSURD).encode()
    return b",".join(parts)


MUTATIONS = [
    cut,
    swapped,
    absurd,
    inserted(b'"', b'""', b'",', b',"'),
    inserted(b"\xff\xfe", b"\xc3", b"\x80", b"\xed\xa0\x80"),
    inserted(b"\0"),
    inserted(b"z" * 2_200_000),
    inserted(b",", b",,,", b";", b"\t"),
    inserted(b"\\", b"\x1a", b"\x1b[2J"),
]


def write_mutant(shop: Inbox, name: str, chance: random.Random) -> int:
    """Write one broken text file; returns how many of its lines are more than blank, after the header."""
    is_json = name.endswith("jsonl")
    lines = json_lines(chance) if is_json else plain_lines(chance)
    first = 0 if is_json else 1
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(first, len(lines))
        lines[at] = chance.choice(MUTATIONS)(lines[at], chance) or b"x"
    newline = chance.choice([b"\n", b"\r\n"])
    shop.put(newline.join(lines) + chance.choice([b"", newline, newline * 3]), name)
    return len(lines) - first


def write_broken_parquet(shop: Inbox, name: str, chance: random.Random) -> int:
    """Write a Parquet file with some bytes overwritten, or cut."""
    path = shop.inbox / name
    values = {
        "id": range(40),
        "date": ["2024-01-01"] * 40,
        "amount": [chance.choice([1.5, float("nan"), 1e308])] * 40,
        "product": [chance.choice(ABSURD)] * 40,
    }
    pl.DataFrame(values).write_parquet(path, compression=chance.choice(["zstd", "snappy", "uncompressed"]))
    content = bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 30)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content[: chance.choice([len(content), chance.randrange(len(content))])])
    return 40


def attempt(shop: Inbox) -> tuple[Load | None, str]:
    """The load of the one file, or the sentence that refuses it."""
    try:
        return shop.ingest()[0], ""
    except InputError as error:
        return None, str(error)


def check_mutant(folder: Path, seed: int) -> str:
    """Ingest one broken file and compare raw with it; returns what became of it."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable test, no secret
    shop = Inbox(folder)
    name = chance.choice(["a.csv", "a.csv", "a.jsonl", "a.parquet"])
    expected = (write_broken_parquet if name == "a.parquet" else write_mutant)(shop, name, chance)
    load, refusal = attempt(shop)
    if load is None:
        assert name in refusal
        assert name == "a.parquet", f"seed {seed}: text has its rows whatever is in them: {refusal}"
        return "refused"
    rows = shop.raw("_row_number, transaction_id, _defect")
    assert len(rows) == load.row_count == len({row[0] for row in rows}), f"seed {seed}: a number for each row"
    if name != "a.parquet":
        assert len(rows) == expected, f"seed {seed}: {expected} lines and {len(rows)} rows"
    return "kept"


@pytest.mark.parametrize("seed", range(60))
def test_a_broken_file_loses_no_row_and_raises_nothing_unexplained(tmp_path: Path, seed: int) -> None:
    check_mutant(tmp_path, seed)


@pytest.mark.full
def test_two_thousand_broken_files_lose_no_row(tmp_path: Path) -> None:
    became = []
    for seed in range(2_000):
        folder = tmp_path / str(seed)
        folder.mkdir()
        became.append(check_mutant(folder, seed))
    assert became.count("kept") > 1_500


@pytest.mark.parametrize(
    "name",
    ["it's.csv", 'say "x".csv', "a;b.csv", "[1]*?.csv", "new\nline.csv", "\u202eü\U0001f600.csv", "-rf.csv",
     "x' union select 1 --.csv", f"{'l' * 200}.csv", os.fsdecode(b"\xff\xfe.csv"), "$(touch hacked).csv", "%s{0}.csv"],
)  # fmt: skip
def test_a_hostile_file_name_is_a_name(tmp_path: Path, name: str) -> None:
    shop = Inbox(tmp_path)
    shop.put(f"{HEADER}\n1,2024-01-01,5,a\n", name)
    (load,) = shop.ingest()
    assert load.row_count == 1
    assert shop.raw("transaction_id, _source_file") == [("1", load.source_file)]
    assert load.source_file.isprintable()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "in", "shop.yml"]


def test_a_declared_name_with_wildcard_characters_is_that_file(tmp_path: Path) -> None:
    shop = Inbox(tmp_path, files="in/sales[1].csv")
    shop.put(f"{HEADER}\n1,2024-01-01,5,a\n", "sales[1].csv")
    shop.put(f"{HEADER}\n2,2024-01-01,5,a\n", "sales1.csv")
    assert [load.source_file for load in shop.ingest()] == ["in/sales[1].csv"]
    assert shop.raw("transaction_id") == [("1",)]


def test_a_hostile_column_name_is_a_name(tmp_path: Path) -> None:
    names = [
        'x" from (select 1); drop view source; --',
        "'; select 1",
        "a/../b",
        "_row_number",
        "filename",
        "ü" * 5_000,
    ]
    shop = Inbox(tmp_path, columns={"transaction_id": names[0], "occurred_at": names[1], "amount": names[2]})
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    shop.put(f"{header}\n1,2,3,4,5,6\n")
    shop.ingest()
    assert shop.raw("transaction_id, occurred_at, amount, _row_number") == [("1", "2", "3", 2)]


@pytest.mark.parametrize(
    "sql",
    [
        "(select content from read_text('{secret}'))",
        "(select * from read_csv('{secret}'))",
        "1); copy (select 1) to '{target}'; select (1",
        "1); attach '{target}' as x; select (1",
        "(select 1 from glob('{folder}/*'))",
        "amount, 1 as other",
        "1) as a, (2",
        "max(amount)",
        "unnest([1, 2])",
        "getenv('HOME')",
        "(from duckdb_secrets())",
    ],
)
def test_an_expression_reads_and_writes_nothing_but_its_row(tmp_path: Path, sql: str) -> None:
    (tmp_path / "secret.txt").write_text("hush")
    places = {"secret": tmp_path / "secret.txt", "target": tmp_path / "written", "folder": tmp_path}
    shop = Inbox(tmp_path, columns=COLUMNS | {"product_id": sql.format(**places)})
    shop.put(f"{HEADER}\n1,2024-01-01,5,a\n2,2024-01-01,5,a\n")
    with pytest.raises(InputError, match=r"entities\.transactions\.columns") as error:
        shop.ingest()
    assert "hush" not in str(error.value)
    assert not (tmp_path / "written").exists()


def test_a_link_out_of_the_declared_folder_is_refused_unless_it_is_named(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(f"{HEADER}\n1,2024-01-01,5,a\n")
    shop = Inbox(tmp_path)
    (shop.inbox / "link.csv").symlink_to(outside)
    with pytest.raises(InputError, match=r"in/link\.csv leads out of"):
        shop.ingest()
    assert Inbox(tmp_path, files="in/link.csv").ingest()[0].row_count == 1


def test_a_message_about_a_broken_value_does_not_repeat_it(tmp_path: Path) -> None:
    shop = Inbox(tmp_path, columns=COLUMNS | {"amount": "product::decimal(9, 2)"})
    shop.put(f"{HEADER}\n1,2024-01-01,5,anna@example.org\n")
    load, refusal = attempt(shop)
    assert "anna" not in f"{load}{refusal}"
    assert shop.raw("_defect") == [("invalid_value.amount",)]


def test_formula_like_text_stays_text(tmp_path: Path) -> None:
    shop = Inbox(tmp_path)
    values = [value for value in ABSURD if not set(value) & set(',"\n')]
    shop.put(HEADER + "\n" + "\n".join(f"{n},2024-01-01,1,{value}" for n, value in enumerate(values)))
    shop.ingest()
    assert [row[0] for row in shop.raw("product_id")] == values
