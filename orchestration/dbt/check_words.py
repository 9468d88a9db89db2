"""What a check of dbt says in words: what must hold, and when it fails what broke, in how many rows, and what to do.

A test in `dbt_project/tests` brings its own words; a generic one is put into words here, from its name and arguments.
No row that failed is ever shown, since it may be about a person: the query that finds it is.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import dagster as dg

from orchestration.settings import Settings

RULES: Final = {
    "grain": "Each row has its own {columns}; none is without.",
    "complete": "Every row has {columns}.",
    "between": "{column_name} is {range}.",
    "accepted_values": "{column_name} is one of: {values}.",
    "relationships": "Every {column_name} is a {field} of {to}.",
    "at_least_eleven_people": "{columns} count nobody, or eleven people and more: smaller groups tell of persons.",
    "adds_up_to": "{column_name} adds up to that of {to}, to the cent.",
    "counts_every_customer": "{column_name} counts every customer of a strategy once.",
    "not_null": "Every row has {column_name}.",
    "unique": "No two rows have one {column_name}.",
}
"""What a generic test holds, by its name; `generic_tests.sql` and `adds_up_to.sql` say it in SQL."""
ADVICE: Final = (
    "If it fails, nothing is published and BI goes on reading the last version. It is a bug in what builds the table, "
    "or files of a kind that it was not written for: run the check's query in the working file to see the rows."
)


def rule(test: Mapping[str, Any]) -> str:
    """What a test of the manifest holds, and what to do when it does not."""
    if test["description"]:
        return str(test["description"])
    generic = test.get("test_metadata") or {}
    kwargs = generic.get("kwargs", {})
    template = RULES.get(generic.get("name", ""), "No row is found by its query.")
    words = {name: _listed(value) for name, value in kwargs.items()} | {"range": _range(kwargs)}
    return f"{template.format_map(words)} {ADVICE}"


def failed(result: dg.AssetCheckResult, tests: Mapping[str, Any], settings: Settings) -> dg.AssetCheckResult:
    """The result of a check that failed with its number of rows, its rule, and the query that finds them."""
    test = tests[str(result.metadata["unique_id"].value)]
    rows = result.metadata.get("dagster_dbt/failed_row_count")
    count = f"{rows.value:,} rows fail" if isinstance(rows, dg.IntMetadataValue) and rows.value else "It fails"
    shown: dict[str, Any] = {}
    query = settings.dbt_target_dir / "compiled" / test["package_name"] / _compiled(test)
    if query.is_file():
        written = f"```sql\n{query.read_text().strip()}\n```"
        shown["query"] = dg.MetadataValue.md(f"In `{settings.warehouse_file.name}`:\n\n{written}")
    return result._replace(description=f"{count}. {rule(test)}", metadata={**result.metadata, **shown})


def _compiled(test: Mapping[str, Any]) -> Path:
    """Where dbt writes the query of a test: a generic one below the YAML that asks for it."""
    file = Path(str(test["original_file_path"]))
    return file / str(test["path"]) if test.get("test_metadata") else file


def _listed(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    reference = re.fullmatch(r"(?:ref|source)\((.+)\)", str(value))
    return reference[1].replace("'", "").replace(", ", ".") if reference else str(value)


def _range(kwargs: Mapping[str, Any]) -> str:
    lowest, highest = kwargs.get("lowest"), kwargs.get("highest")
    if lowest is not None and highest is not None:
        return f"between {lowest} and {highest}"
    return f"at least {lowest}" if lowest is not None else f"at most {highest}"
