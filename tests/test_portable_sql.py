import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlglot

from orchestration.dbt.assets import command
from orchestration.settings import DBT_PROJECT_DIR, Settings

pytest.importorskip("dbt.adapters.spark", reason="the extra spark is not installed: make spark")

ENGINES = ("duckdb", "spark")
DIALECTS = "".join(file.read_text() for file in sorted((DBT_PROJECT_DIR / "macros").glob("dialects*.sql")))
MODELS = {file.stem for file in (DBT_PROJECT_DIR / "models").rglob("*.sql")}
SHARED = """
    abs any_value array_agg atan2 avg bool_and bool_or cast chr coalesce concat_ws cos count date_trunc degrees exp
    extract first_value floor greatest grouping_id hash lag last_day last_value lead least ln log2 lower max max_by
    md5 median min min_by nullif percentile_cont pi pow radians range rank regexp_extract replace round row_number sin
    sqrt stddev_samp sum trim try_cast typeof upper
"""
"""What DuckDB and Spark know by the same name, with the same meaning for what models give it; a `hash` is another
number on each, and is only ever held against hashes of the same run."""
WORDS = """
    and as between by decimal distinct except exclude filter from group in join not on or over rollup select unpivot
    using values where
"""
OWN = {r"::": "a cast", r"//": "quotient()", r"\[": "a list", r'"': "a quoted name", r"\bvarchar\b": "string"} | {
    r"\bunion all by name\b": "columns in the same order",
    r"\*\s*(exclude|replace)\b": "except()",
    r"_date\)? - [a-z_.(]*_date\b": "days_between()",
}
"""What Spark reads otherwise or not at all, and what to write instead."""


def compiled(engine: str, folder: Path) -> dict[str, str]:
    """Every model's SQL without its comments, as dbt renders it for an engine that nobody asks anything."""
    settings = Settings(data_dir=folder, dbt_target=engine)
    words = ["--no-introspect", "--no-populate-cache", "--select", "resource_type:model"]
    done = subprocess.run(
        command("compile", *words, settings=settings, warehouse=folder / "warehouse.duckdb", target=folder / "target"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    files = (folder / "target" / "compiled" / "clientele" / "models").rglob("*.sql")
    return {file.stem: re.sub(r"--[^\n]*", "", file.read_text()) for file in files if file.stem in MODELS}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    return {engine: compiled(engine, tmp_path_factory.mktemp(engine)) for engine in ENGINES}


def unquoted(sql: str) -> str:
    return re.sub(r"'(?:[^']|'')*'", "''", sql)


def called(sql: str) -> set[str]:
    """The functions of a query; a table's alias with names for its columns is none."""
    bare = re.sub(r"\bas \w+ \(", "", unquoted(sql))
    return {name.lower() for name in re.findall(r"\b([A-Za-z_]\w*)\s*\(", bare)} - set(WORDS.split())


def strange(engine: str, sql: Mapping[str, str]) -> dict[str, set[str]]:
    """By model, the functions that neither both engines know nor a macro of `dialects.sql` writes for this one."""
    forms = re.findall(rf"macro {engine}__\w+\(.*?endmacro", DIALECTS, flags=re.DOTALL)
    helpers = re.findall(r"macro (?!duckdb__|spark__)\w+\(.*?endmacro", DIALECTS, flags=re.DOTALL)
    known = set(SHARED.split()) | {name for form in forms + helpers for name in re.findall(r"\b([a-z]\w*)\(", form)}
    return {name: found for name, query in sql.items() if (found := called(query) - known)}


def test_every_model_compiles_for_both_engines(models: dict[str, dict[str, str]]) -> None:
    assert {engine: set(found) for engine, found in models.items()} == dict.fromkeys(ENGINES, MODELS)
    for query in models["spark"].values():
        assert sqlglot.parse_one(query, read="spark")


@pytest.mark.parametrize("engine", ENGINES)
def test_functions_are_those_that_both_engines_know_or_that_a_macro_writes(
    models: dict[str, dict[str, str]], engine: str
) -> None:
    assert strange(engine, models[engine]) == {}


def test_no_model_says_what_spark_reads_otherwise(models: dict[str, dict[str, str]]) -> None:
    found = {
        (name, f"{pattern}: write {instead}")
        for name, query in models["spark"].items()
        for pattern, instead in OWN.items()
        if re.search(pattern, unquoted(query), flags=re.IGNORECASE)
    }
    assert found == set()


def test_the_lint_finds_what_is_not_portable() -> None:
    query = {"bad": "select strftime(a, '%Y'), list(b) from c"}
    assert strange("spark", query) == {"bad": {"strftime", "list"}}
    assert [p for p in OWN if re.search(p, unquoted('select a::date, b.first_date - c.last_date, "d" from e'))] == [
        "::",
        '"',
        r"_date\)? - [a-z_.(]*_date\b",
    ]
