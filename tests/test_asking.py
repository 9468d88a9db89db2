"""Questions in SQL to what is published: as a table, CSV or JSON, and nothing but questions."""

import csv
import io
import json
from pathlib import Path

import pytest

from orchestration.answers.asking import rows
from orchestration.errors import InputError
from orchestration.settings import Settings
from tests.commands import Finished, clientele


def asked(settings: Settings, *words: str) -> Finished:
    return clientele("query", *words, source=settings.source, data_dir=settings.data_dir)


def test_a_question_is_answered_as_a_table_as_csv_and_as_json(settings: Settings) -> None:
    question = "select count(*) as customer_count, sum(net_amount) as net_amount from marts.dim_customers"
    found = rows(question, settings).row(0)
    as_csv = asked(settings, "--format", "csv", question)
    assert next(iter(csv.DictReader(io.StringIO(as_csv.stdout)))) == {
        "customer_count": str(found[0]),
        "net_amount": str(found[1]),
    }
    as_json = asked(settings, "--format", "json", question)
    assert json.loads(as_json.stdout) == [{"customer_count": found[0], "net_amount": str(found[1])}]
    as_table = asked(settings, question)
    assert as_table.stdout.split()[:4] == ["customer_count", "net_amount", str(found[0]), str(found[1])]
    assert "1 rows" in as_table.stdout
    assert as_table.stdout.splitlines() == [line.rstrip() for line in as_table.stdout.splitlines()]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("selec 1", "syntax error"),
        ("create table marts.mine as select 1", "read-only mode"),
        ("copy marts.dim_customers to 'stolen.csv'", "disabled by configuration"),
        ("from read_text('/etc/hostname')", "disabled by configuration"),
        ("set enable_external_access = true", "configuration"),
        ("from marts.nothing", "does not exist"),
    ],
)
def test_what_is_no_question_is_refused_with_a_sentence(settings: Settings, question: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        rows(question, settings)


def test_before_the_first_publication_there_is_nothing_to_ask(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing is published yet"):
        rows("select 1", Settings(data_dir=tmp_path))
