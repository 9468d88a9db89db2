"""The canary test: what stands in the shop's e-mail, phone and name columns is in the vault and nowhere else, and what
stands in secrets of the environment is nowhere at all.
"""

import contextlib
import gzip
import sqlite3
import zipfile
import zlib
from pathlib import Path

import polars as pl
import pytest

from orchestration.settings import Settings
from orchestration.warehouse import Warehouse
from tests.commands import CANARY_WORD, Finished, clientele
from tests.shop import CANARIES

COMMENTED = "select comment from duckdb_columns() union all select comment from duckdb_tables()"


def texts(file: Path, settings: Settings) -> list[bytes]:
    """Everything that a file says: its bytes, and what is packed in them."""
    found = [file.read_bytes()]
    if file.suffix == ".parquet":
        found.append(_text(pl.read_parquet(file)))
    elif file.suffix == ".duckdb":
        with Warehouse(file, settings=settings).connect() as connection:
            names = connection.execute(
                "select table_schema || '.' || table_name from information_schema.tables"
            ).fetchall()
            queries = [*(f"from {name}" for (name,) in names), "select sql from duckdb_views()", COMMENTED]
            found += [_text(connection.sql(query).pl()) for query in queries]
    elif zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            found += [archive.read(name) for name in archive.namelist()]
    elif found[0].startswith(b"SQLite format 3"):
        found += _stored_texts(file)
    elif found[0].startswith(b"\x1f\x8b"):
        found.append(gzip.decompress(found[0]))
    return found


def _stored_texts(file: Path) -> list[bytes]:
    """Every value in an SQLite file, such as Dagster's events; what is compressed there, unpacked."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        values = [value for name in tables for row in connection.execute(f'select * from "{name}"') for value in row]
    found = [value.encode() if isinstance(value, str) else value for value in values if isinstance(value, str | bytes)]
    for value in list(found):
        with contextlib.suppress(zlib.error):
            found.append(zlib.decompress(value))
    return found


def _text(frame: pl.DataFrame) -> bytes:
    return frame.with_columns(pl.all().cast(pl.String)).write_csv().encode()


def leaks(settings: Settings) -> dict[str, list[str]]:
    """The canaries found in each file of a data folder: people's anywhere but in the vault, the secret anywhere."""
    files = [file for file in settings.data_dir.rglob("*") if file.is_file() and not file.is_symlink()]
    assert len(files) > 50
    found = {}
    for file in files:
        searched = (CANARY_WORD,) if settings.vault_dir in file.parents else (*CANARIES, CANARY_WORD)
        packed = texts(file, settings)
        found[str(file.relative_to(settings.data_dir))] = [c for c in searched if any(c.encode() in t for t in packed)]
    return {name: canaries for name, canaries in found.items() if canaries}


def test_the_vault_holds_every_identifier_and_nobody_else_may_open_it(settings: Settings) -> None:
    (file,) = (settings.vault_dir / "customers").rglob("rows.parquet")
    rows = pl.read_parquet(file)
    assert rows.columns[:1] == ["customer_id"]
    for name, canary in zip(("email", "phone", "full_name"), CANARIES, strict=True):
        assert rows[name].str.contains(canary, literal=True).all()
        assert rows[name].n_unique() > 690
    assert settings.data_dir.stat().st_mode & 0o077 == 0


def test_the_search_finds_a_canary_wherever_it_is_packed(settings: Settings, tmp_path: Path) -> None:
    frame = pl.DataFrame({"mail": [f"{number}{CANARIES[0]}" for number in range(5000)]})
    frame.write_parquet(tmp_path / "a.parquet")
    Warehouse(tmp_path / "b.duckdb", settings=settings).write("marts.mails", frame)
    with zipfile.ZipFile(tmp_path / "c.skops", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", frame.write_csv())
    (tmp_path / "d.log").write_text(CANARIES[0])
    (tmp_path / "e.gz").write_bytes(gzip.compress(frame.write_csv().encode()))
    with contextlib.closing(sqlite3.connect(tmp_path / "f.db")) as connection:
        connection.execute("create table snapshots (body blob)")
        connection.execute("insert into snapshots values (?)", (zlib.compress(frame.write_csv().encode()),))
        connection.commit()
    for file in sorted(tmp_path.iterdir()):
        assert any(CANARIES[0].encode() in text for text in texts(file, settings)), file.name


def test_no_identifier_is_anywhere_but_in_the_vault_and_no_secret_anywhere(settings: Settings) -> None:
    kinds = {file.suffix for file in settings.data_dir.rglob("*") if file.is_file()}
    assert kinds >= {".db", ".log", ".json", ".parquet", ".duckdb", ".skops"}
    events = [text for file in settings.dagster_home.rglob("*.db") for text in _stored_texts(file)]
    assert any(b"ASSET_MATERIALIZATION" in text for text in events)
    assert leaks(settings) == {}


def test_nothing_is_in_what_a_run_prints(first_run: Finished, later_runs: dict[str, Finished]) -> None:
    for run in (first_run, *later_runs.values()):
        assert [canary for canary in (*CANARIES, CANARY_WORD) if canary in run.stdout + run.stderr] == []


@pytest.mark.parametrize("name", ["again", "rebuilt", "earlier", "blocked"])
def test_a_later_run_and_one_that_fails_leave_nothing_either(later_runs: dict[str, Finished], name: str) -> None:
    assert leaks(later_runs[name].settings) == {}


@pytest.mark.parametrize("expression", ["mail::integer", "strptime(mail, '%Y')", "error(mail)"])
def test_an_expression_that_fails_on_an_identifier_does_not_tell_it(
    settings: Settings, tmp_path: Path, expression: str
) -> None:
    source = tmp_path / "tiny_shop.yml"
    for file in settings.source.parent.glob("*.csv"):
        (tmp_path / file.name).symlink_to(file)
    source.write_text(settings.source.read_text().replace("loyalty_tier: tier", f'loyalty_tier: "{expression}"'))
    done = clientele("check", source=source, data_dir=tmp_path / "data")
    assert [canary for canary in (*CANARIES, CANARY_WORD) if canary in done.stdout + done.stderr] == []
