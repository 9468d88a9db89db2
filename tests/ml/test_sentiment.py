"""Sentiment learned from ratings: what the model keeps, how it is tested, and when a language is refused."""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import StratifiedKFold

from ml.feedback.drivers import find_drivers
from ml.feedback.languages import identify
from ml.feedback.scoring import score
from ml.feedback.sentiment import TRUSTED_TYPES, CalibratedSentiment, SentimentModel
from ml.feedback.training import Question, Training, lack, train
from ml.feedback_schemas import FEEDBACK_ASPECTS, FEEDBACK_SCORES
from ml.metrics import auc, macro_f1
from orchestration.storage.model_files import dump
from tests.messages import BAD, GOOD, messages

DATA = os.environ.get("CLIENTELE_TEST_DATA", "")
DAY = date(2026, 6, 30)
QUESTION = Question("en", DAY, 0)


def rated(count: int = 600, *, shuffled: bool = False) -> pl.DataFrame:
    """Messages of so many customers, one a day; shuffled, the ratings have nothing to do with the texts."""
    stars, said = zip(*messages(count, 0), strict=True)
    given = np.random.default_rng(3).permutation(stars) if shuffled else np.array(stars)
    return pl.DataFrame(
        {
            "feedback_id": [f"f{number:04}" for number in range(count)],
            "customer_id": [f"c{number:04}" for number in range(count)],
            "feedback_date": [DAY - timedelta(days=count - number) for number in range(count)],
            "is_satisfied": (given >= 4).tolist(),
            "text": list(said),
            "language": ["en"] * count,
            "as_of_date": [DAY] * count,
        }
    )


def satisfied(frame: pl.DataFrame) -> np.ndarray:
    return frame["is_satisfied"].cast(pl.Float64).to_numpy()


@pytest.fixture(scope="module")
def trained() -> Training:
    return train(rated(), QUESTION)


def test_only_what_eleven_customers_write_is_in_the_model() -> None:
    frame = pl.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(11)] + ["c0"] * 20,
            "text": ["lovely coat"] * 10 + ["lovely hat"] + ["Smith of Main Street 12345678"] * 20,
        }
    )
    model = SentimentModel(characters=True).fit(frame, np.array([1.0] * 11 + [0.0] * 20))
    assert model.terms_[: model.word_count_].tolist() == ["lovely"]
    kept = " ".join(model.terms_.tolist())
    assert not [word for word in ("coat", "smith", "main", "1234") if word in kept]
    assert "love" in kept


def test_a_model_without_a_term_that_enough_customers_use_says_the_rate() -> None:
    frame = pl.DataFrame({"customer_id": ["a", "b", "c", "d"], "text": ["one", "two", "three", "!"]})
    fitted = CalibratedSentiment(SentimentModel()).fit(frame, np.array([1.0, 1.0, 0.0, 1.0]))
    assert fitted.satisfied_probability(frame).tolist() == pytest.approx([4 / 6] * 4)


def test_held_out_scores_have_not_seen_the_writer() -> None:
    frame, random = rated(200, shuffled=True), np.random.default_rng(1)
    noise = random.integers(0, 2, 200).astype(float)
    model = SentimentModel(least_writers=1)
    held = model.fit_held_out(frame, noise)
    assert auc(noise, model.score(frame)) > 0.7
    assert abs(auc(noise, held) - 0.5) < 0.12


def test_a_message_scores_the_same_alone_and_among_others(trained: Training) -> None:
    frame = rated(40)
    together = trained.serving.satisfied_probability(frame)
    alone = [trained.serving.satisfied_probability(frame[number])[0] for number in range(40)]
    assert together.tolist() == alone


def test_the_order_of_rows_changes_no_byte_of_the_model(trained: Training) -> None:
    again = train(rated().sample(fraction=1.0, shuffle=True, seed=5), QUESTION)
    assert dump(again.serving) == dump(trained.serving)
    assert again.evaluations.equals(trained.evaluations)


def test_a_model_that_beats_lexicon_and_base_rate_serves_with_what_it_was_measured_on(trained: Training) -> None:
    quality = trained.quality
    assert (trained.decision.served_by, trained.decision.candidate) == ("champion", "words")
    assert quality["is_supported"]
    assert 0.5 + QUESTION.margin <= quality["auc_lower"] < quality["auc"] < quality["auc_upper"]
    assert quality["auc"] > 0.85 > 0.6 > quality["lexicon_auc"]
    assert (quality["trained_message_count"], quality["tested_message_count"]) == (600, 180)
    assert set(trained.evaluations["candidate"]) == {"words", "words_and_characters", "lexicon", "base_rate"}
    assert set(trained.evaluations["metric"]) == {"auc", "brier", "calibration_slope", "macro_f1"}


def test_tests_are_of_messages_after_those_that_were_learned_from(trained: Training) -> None:
    days = sorted(set(trained.evaluations["cutoff_date"]))
    assert days == [DAY - timedelta(days=left + 1) for left in (180, 120, 60)]
    assert (trained.quality["tested_from_date"], trained.quality["tested_to_date"]) == (
        str(days[0]),
        str(DAY - timedelta(days=1)),
    )


def test_a_language_in_which_texts_say_nothing_of_the_rating_is_unsupported() -> None:
    refused = train(rated(shuffled=True), QUESTION)
    assert not refused.quality["is_supported"]
    assert "No better than chance by the margin" in refused.quality["reason"]
    assert refused.decision.served_by != "champion"


def test_too_few_messages_or_too_few_of_one_kind_are_said_so() -> None:
    assert lack(rated(150), QUESTION) == "150 rated messages with a date, of 200 needed"
    happy = rated(300).with_columns(is_satisfied=pl.int_range(pl.len()) >= 5)
    assert lack(happy, QUESTION) == "5 messages of the rarer kind, of 30 needed"
    one_day = rated(300).with_columns(feedback_date=pl.lit(DAY))
    assert lack(one_day, QUESTION).startswith("all messages are of so few days")
    assert lack(rated(300), QUESTION) == ""


def test_the_threshold_tells_both_kinds_apart_better_than_a_half_where_most_are_satisfied() -> None:
    frame = rated(600)
    kept = frame.filter(pl.col("is_satisfied") | (pl.int_range(pl.len()) % 4 == 0))
    fitted = CalibratedSentiment(SentimentModel()).fit(kept, satisfied(kept))
    told = fitted.satisfied_probability(frame)
    at_threshold, at_half = ((told >= at) * 1.0 for at in (fitted.threshold_, 0.5))
    assert macro_f1(satisfied(frame), at_threshold) >= macro_f1(satisfied(frame), at_half)


def test_scores_are_rows_without_text(trained: Training) -> None:
    told = score(rated(10), trained.serving, served_by="champion", model_version="v", is_stale=False)
    assert told.schema == pl.Schema(FEEDBACK_SCORES)
    assert set(told["sentiment"]) == {"positive", "negative"}


def test_drivers_are_words_and_aspects_of_enough_customers_and_point_the_right_way(trained: Training) -> None:
    frame = rated()
    about = frame.filter(pl.col("text").str.contains("parcel")).select("as_of_date", "feedback_id", "customer_id")
    few = frame.head(5).select("as_of_date", "feedback_id", "customer_id")
    aspects = pl.concat([about.with_columns(aspect=pl.lit("delivery")), few.with_columns(aspect=pl.lit("service"))])
    found = find_drivers(frame, aspects.select(list(FEEDBACK_ASPECTS)), trained.serving)
    assert found["customer_count"].min() >= 11  # type: ignore[operator] # there are rows
    assert found.filter(pl.col("kind") == "aspect")["term"].to_list() == ["delivery"]
    assert set(found["direction"]) == {"raises", "lowers"}
    for way, said, others in (("lowers", BAD, GOOD), ("raises", GOOD, BAD)):
        first = found.filter(kind="word", direction=way, rank=1)["term"][0]
        own, foreign = (set(" ".join(remarks).split()) for remarks in (said, others))
        assert set(first.split()) & (own - foreign)
        assert not set(first.split()) & (foreign - own)
    worst, average = found.filter(kind="word", direction="lowers", rank=1).row(0, named=True), satisfied(frame).mean()
    assert worst["effect"] < 0
    assert worst["satisfied_share"] < 0.3
    assert (
        worst["words"]
        == f"Messages with '{worst['term']}': {worst['satisfied_share']:.0%} satisfied, of all {average:.0%}."
    )


def test_macro_f1_is_the_mean_of_both_classes_and_weighs_rows() -> None:
    actual, told = np.array([1.0, 1, 1, 0]), np.array([1.0, 1, 0, 0])
    assert macro_f1(actual, told) == pytest.approx((4 / 5 + 2 / 3) / 2)
    doubled = macro_f1(np.repeat(actual, [2, 1, 1, 3]), np.repeat(told, [2, 1, 1, 3]))
    assert macro_f1(actual, told, np.array([[2.0, 1, 1, 3]]))[0] == pytest.approx(doubled)
    assert macro_f1(np.ones(3), np.ones(3)) == 1.0


def test_what_skops_must_trust_are_our_own_classes() -> None:
    assert all(name.startswith("ml.feedback.") or name == "numpy.dtype" for name in TRUSTED_TYPES)


def _folds(satisfied_or_not: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    yield from StratifiedKFold(5, shuffle=True, random_state=0).split(satisfied_or_not, satisfied_or_not)


@pytest.mark.data
@pytest.mark.skipif(not DATA, reason="CLIENTELE_TEST_DATA names no folder of data")
def test_recommendations_of_clothes_are_told_from_their_reviews() -> None:
    reviews = pl.read_csv(Path(DATA) / "womens_clothing_reviews" / "reviews.csv.gz")
    reviews = reviews.filter(pl.col("Review Text").is_not_null())
    frame = reviews.select(
        text=pl.concat_str([pl.col("Title").fill_null(""), "Review Text"], separator=". "),
        customer_id=pl.int_range(pl.len()).cast(pl.String),  # nobody is named: every review is of a writer of its own
    )
    recommended = reviews["Recommended IND"].cast(pl.Float64).to_numpy()
    assert frame.height == 22_641
    found = []
    for learned, tested in _folds(recommended):
        fitted = CalibratedSentiment(SentimentModel()).fit(frame[learned], recommended[learned])
        told = fitted.satisfied_probability(frame[tested])
        labels = (told >= fitted.threshold_).astype(float)
        found.append((auc(recommended[tested], told), macro_f1(recommended[tested], labels)))
    rank, both = np.mean(found, axis=0)
    assert rank >= 0.948
    assert both >= 0.82


@pytest.mark.data
@pytest.mark.skipif(not DATA, reason="CLIENTELE_TEST_DATA names no folder of data")
def test_portuguese_reviews_are_told_better_than_chance_and_than_a_word_list() -> None:
    reviews = pl.read_csv(Path(DATA) / "olist_sample" / "olist_order_reviews_dataset.csv")
    parts = [pl.col(f"review_comment_{part}").fill_null("") for part in ("title", "message")]
    frame = reviews.select(
        feedback_id=pl.col("review_id") + pl.col("order_id"),
        customer_id="order_id",
        feedback_date=pl.col("review_answer_timestamp").str.slice(0, 10).str.to_date(),
        is_satisfied=pl.col("review_score") >= 4,
        text=pl.concat_str(parts, separator=" ").str.strip_chars(),
    ).filter(pl.col("text") != "")
    told = frame.with_columns(language=identify(frame["text"], among=["pt"])).filter(language="pt")
    assert told.height > 0.98 * frame.height
    trained = train(told, Question("pt", DAY, 0))
    assert trained.quality["is_supported"]
    assert trained.quality["auc_lower"] > 0.88
    assert trained.quality["auc"] > trained.quality["lexicon_auc"] + 0.03
    assert trained.quality["macro_f1"] > 0.82
