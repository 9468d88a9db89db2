"""What a run makes of the shop's messages: which languages are served, what is published of texts, and of whom."""

from pathlib import Path
from typing import Any

import pytest

from orchestration.intake.source_file import load_source
from orchestration.privacy.access import access
from orchestration.publishing.generations import DATABASE
from orchestration.settings import Settings
from orchestration.warehouse import reader
from tests.commands import Finished
from tests.messages import BAD, GOOD
from tests.shop import ENGLISH, GERMAN, REFUSED

TABLES = ("feedback_messages", "feedback_aspects", "feedback_scores")


def rows(published: Path, query: str) -> list[tuple[Any, ...]]:
    with reader(published / DATABASE) as connection:
        return connection.execute(query).fetchall()


def test_a_language_with_enough_ratings_is_served_by_a_model_that_beat_the_rules(published: Path) -> None:
    (found,) = rows(
        published,
        "select is_supported, served_by, candidate, model_version, auc_lower >= 0.6, auc > lexicon_auc, "
        "tested_message_count > 100, tested_from_date < tested_to_date "
        "from ml.feedback_languages where language = 'en'",
    )
    (version,) = rows(
        published, "select model_version from ml.model_versions where model = 'feedback_en' and served_by = 'champion'"
    )
    assert found == (True, "champion", "words", version[0], True, True, True, True)


def test_a_language_with_too_few_is_unsupported_and_its_messages_get_no_sentiment(published: Path) -> None:
    (found,) = rows(
        published, "select message_count, is_supported, reason from ml.feedback_languages where language = 'de'"
    )
    assert found == (GERMAN, False, f"{GERMAN} rated messages with a date, of 200 needed")
    assert rows(published, "select count(*) from ml.feedback_scores where language <> 'en'") == [(0,)]


def test_a_message_without_a_rating_is_scored_and_told_of(published: Path) -> None:
    assert rows(
        published,
        "select scores.sentiment is not null, feedback.is_satisfied, aspects.aspect "
        "from ml.feedback_scores as scores inner join marts.fct_feedback as feedback using (feedback_id) "
        "inner join ml.feedback_aspects as aspects using (feedback_id) where feedback_id = 'f900'",
    ) == [(True, None, "delivery")]


def test_sentiment_goes_with_the_stars(published: Path) -> None:
    ((share,),) = rows(
        published,
        "select avg(((sentiment = 'positive') = is_satisfied)::int) "
        "from ml.feedback_scores inner join marts.fct_feedback using (feedback_id)",
    )
    assert share > 0.85


@pytest.mark.parametrize("table", TABLES)
def test_nobody_who_refuses_profiling_and_no_guest_is_in_it(published: Path, table: str) -> None:
    assert rows(published, f"select count(*) > 0 from marts.fct_feedback where customer_id = '{REFUSED['profiling']}'")
    assert rows(
        published,
        f"select count(*) from ml.{table} where customer_id is null or customer_id = '{REFUSED['profiling']}'",
    ) == [(0,)]


def test_every_known_message_with_a_text_is_described(published: Path) -> None:
    permitted = "customer_id in (select customer_id from marts.dim_customer_permissions where is_profiling_allowed)"
    expected = rows(published, f"select count(*) from marts.fct_feedback where {permitted}")
    assert rows(published, "select count(*) from ml.feedback_messages") == expected
    assert ENGLISH + GERMAN - 5 < expected[0][0] < ENGLISH + GERMAN


def test_no_sentence_of_a_customer_is_published(published: Path) -> None:
    said = [remark[:24] for remark in (*GOOD, *BAD)]
    with reader(published / DATABASE) as connection:
        columns = connection.execute(
            "select table_schema || '.' || table_name, column_name from information_schema.columns "
            "where table_catalog = current_database() and data_type = 'VARCHAR'"
        ).fetchall()
        assert len(columns) > 300
        for table, column in columns:
            query = (
                f'select count(*) from {table} where list_any_value([x for x in $1 if contains(lower("{column}"), x)])'
            )
            assert connection.execute(f"{query} is not null", [said]).fetchone() == (0,), (table, column)


def test_words_that_drive_ratings_are_those_of_many_and_no_number(published: Path) -> None:
    found = rows(published, "select term, customer_count, direction from ml.feedback_drivers where kind = 'word'")
    assert {way for _, _, way in found} == {"raises", "lowers"}
    assert min(count for _, count, _ in found) >= 11
    assert not [term for term, _, _ in found if any(letter.isdigit() for letter in term)]


def test_reports_of_feedback_have_rows_and_add_up_to_its_messages(published: Path) -> None:
    ((everybody, messages),) = rows(
        published,
        "select customer_count, message_count from reports.rpt_satisfaction where group_kind = 'everybody'",
    )
    assert messages == ENGLISH + GERMAN + 1
    assert everybody == ENGLISH + GERMAN
    assert rows(published, "select count(distinct month_start) from reports.rpt_feedback_topics")[0][0] >= 11
    assert rows(published, "select count(*) > 0 from reports.rpt_satisfaction_churn") == [(True,)]


def test_capabilities_say_that_sentiment_is_told(published: Path) -> None:
    assert rows(
        published, "select capability, level from quality.capabilities where capability like 'feedback%' order by 1"
    ) == [("feedback_aspects", "available"), ("feedback_ratings", "available"), ("feedback_sentiment", "available")]


def test_what_is_said_of_ones_messages_is_told_to_whom_it_is_about(settings: Settings) -> None:
    held = access(settings, "c0005", source=load_source(settings.source))["held"]
    (version,) = [tables for tables in held["published"].values() if "ml.feedback_scores" in tables]
    assert [row["feedback_id"] for row in version["ml.feedback_scores"]] == ["f5"]
    assert version["ml.feedback_messages"]
    assert held["vault/feedback"][0]["text"]


def test_an_erased_customer_is_gone_from_every_table_of_feedback(later_runs: dict[str, Finished]) -> None:
    published = later_runs["erased"].settings.published_dir / "current"
    for table in ("marts.fct_feedback", *(f"ml.{name}" for name in TABLES)):
        assert rows(published, f"select count(*) from {table} where customer_id in ('c0001', 'c0003')") == [(0,)]
    assert rows(published, "select count(*) > 400 from ml.feedback_scores") == [(True,)]
