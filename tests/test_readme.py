"""Whatever the documents tell a user to type exists: commands with their options, targets of the Makefile."""

import json
import re
import shlex
from collections.abc import Iterator

import pytest
from typer.main import get_command

from orchestration.cli import app
from orchestration.settings import PROJECT_DIR

DOCUMENTS = [PROJECT_DIR / "README.md", PROJECT_DIR / "CONTRIBUTING.md", *sorted((PROJECT_DIR / "docs").rglob("*.md"))]
CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`]+)`", re.DOTALL | re.MULTILINE)
TYPED = re.compile(r'(?:^|[/\s])(clientele|make) ([a-z-](?:"[^"]*"|[^#>|;&\n"])*)', re.MULTILINE)
COMMANDS = get_command(app)


def typed(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each program that code in a document starts, with its words."""
    for block, inline in CODE.findall(text):
        for program, words in TYPED.findall(block or inline):
            yield program, shlex.split(words)


def targets() -> set[str]:
    rules = re.findall(r"^([a-z ]+):", (PROJECT_DIR / "Makefile").read_text(), re.MULTILINE)
    return {target for rule in rules for target in rule.split()}


def missing(words: list[str]) -> list[str]:
    """What a command line names that the program does not know: the command, or options of it."""
    is_of_all = words[0].startswith("-")  # an option before any command, such as --install-completion
    command = COMMANDS if is_of_all else getattr(COMMANDS, "commands", {}).get(words[0])
    if command is None:
        return words[:1]
    words = ["", *words] if is_of_all else words
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return [word for word in words[1:] if word.startswith("-") and word.partition("=")[0] not in known]


def test_every_command_in_the_documents_exists_with_its_options() -> None:
    found = {
        (file.name, *words) for file in DOCUMENTS for program, words in typed(file.read_text()) if program != "make"
    }
    assert ("README.md", "backfill", "--from", "2017-11-01", "--to", "2017-11-30") in found
    assert ("operations.md", "run", "--json") in found
    assert {line: wrong for line in found if (wrong := missing([*line[1:]]))} == {}


def test_every_make_in_the_documents_has_its_target() -> None:
    found = {words[0] for file in DOCUMENTS for program, words in typed(file.read_text()) if program == "make"}
    assert {"run", "databases"} <= found
    assert found - targets() == set()


@pytest.mark.parametrize(
    ("line", "wrong"),
    [("runn", ["runn"]), ("run --as-off 2026-01-01 --json", ["--as-off"]), ("run --no-retrain --as-of=DAY", [])],
)
def test_a_command_or_option_that_is_gone_is_seen(line: str, wrong: list[str]) -> None:
    ((_, words),) = typed(f"Text.\n```sh\n.venv/bin/clientele {line}   # why\n```\n")
    assert missing(words) == wrong


def test_the_catalogue_names_every_published_table_and_no_other() -> None:
    found: set[str] = set()
    for row in re.findall(
        r"^\| (`(?:activation|marts|ml|quality|reports)\..*?) \|", DOCUMENTS[0].read_text(), re.MULTILINE
    ):
        schema = ""
        for name in re.findall(r"`([\w.]+)`", row):  # a schema is said once for those that follow
            schema, table = name.split(".") if "." in name else (schema, name)
            assert f"{schema}.{table}" not in found, f"{name} is named twice"
            found.add(f"{schema}.{table}")
    assert found == set(json.loads((PROJECT_DIR / "tests" / "published_schema.json").read_text())["tables"])
