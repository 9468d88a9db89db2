"""What a message is written in and about."""

from datetime import date

import polars as pl
import pytest

from ml.feedback.aspects import ASPECTS, LANGUAGES, find_aspects
from ml.feedback.languages import ISO_639_1, UNKNOWN, describe, identify
from ml.feedback.lexicon import BLAME, DENIAL, PRAISE, LexiconRule
from ml.feedback.texts import any_of, normalised

SAID = {
    "en": "The parcel came late and the fabric is far too thin for this price",
    "de": "Das Paket kam zu spät und der Stoff ist für diesen Preis viel zu dünn",
    "fr": "Le colis est arrivé en retard et le tissu est trop fin pour ce prix",
    "es": "El paquete llegó tarde y la tela es demasiado fina para este precio",
    "pt": "O pacote chegou atrasado e o tecido é fino demais para este preço",
    "it": "Il pacco è arrivato in ritardo e il tessuto è troppo sottile per questo prezzo",
    "nl": "Het pakket kwam te laat aan en de stof is veel te dun voor deze prijs",
}


def texts(*said: str | None) -> pl.Series:
    return pl.Series(said, dtype=pl.String)


def messages(*said: str, language: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "feedback_id": [f"f{number}" for number in range(len(said))],
            "customer_id": [f"c{number}" for number in range(len(said))],
            "as_of_date": [date(2026, 6, 30)] * len(said),
            "language": [language] * len(said),
            "text": list(said),
        }
    )


def test_a_sentence_is_told_to_be_in_its_language() -> None:
    assert identify(texts(*SAID.values()), among=LANGUAGES).to_list() == list(SAID)


def test_a_language_that_nobody_named_is_told_only_where_it_is_sure() -> None:
    polish = "Paczka przyszła za późno, a materiał jest zdecydowanie za cienki jak na tę cenę, nie polecam nikomu"
    assert identify(texts(polish, SAID["de"]), among=["en"]).to_list() == ["pl", "de"]


def test_with_one_language_alone_a_short_word_is_of_it() -> None:
    assert identify(texts("bom", "ok"), among=["pt"]).to_list() == ["pt", "pt"]


def test_a_text_without_letters_is_in_no_language() -> None:
    assert identify(texts(":-)", "10/10", "", None), among=["pt"]).to_list() == [UNKNOWN] * 4


def test_every_language_with_words_of_its_own_can_be_declared() -> None:
    assert set(LANGUAGES) <= ISO_639_1
    assert set(LANGUAGES) == set(PRAISE) == set(BLAME) == set(DENIAL)
    assert all(set(words) == set(LANGUAGES) for words in ASPECTS.values())


def test_a_message_is_described_by_language_and_number_of_words() -> None:
    (row,) = describe(messages(SAID["en"], language="").drop("language"), among=LANGUAGES).to_dicts()
    assert (row["language"], row["word_count"]) == ("en", 14)
    assert "text" not in row


@pytest.mark.parametrize("language", SAID)
def test_price_quality_and_delivery_are_found_in_every_language(language: str) -> None:
    found = find_aspects(messages(SAID[language], language=language), declared={})["aspect"].to_list()
    assert {"price", "quality", "delivery"} <= set(found)


def test_words_of_another_language_say_nothing() -> None:
    assert find_aspects(messages(SAID["de"], language="en"), declared={})["aspect"].to_list() == []


def test_a_source_adds_words_of_its_own_to_old_and_new_aspects_once_a_message() -> None:
    told = messages("The WARRANTIES cost nothing, a warranty is fair", "two-year promise", language="en")
    declared = {"warranty": ("warrant*",), "price": ("fair", "promise")}
    found = find_aspects(told, declared=declared)
    assert found.select("feedback_id", "aspect").rows() == [("f0", "price"), ("f0", "warranty"), ("f1", "price")]


def test_texts_are_read_without_case_and_accents() -> None:
    assert normalised(texts("ÓTIMO, não?", None)).to_list() == ["otimo, nao?", ""]


def test_a_star_stands_for_any_end_of_a_word_and_nothing_else_does() -> None:
    said = normalised(texts("prices", "price", "surprise", "a c.d b"))
    assert said.str.contains(any_of(("price*",))).to_list() == [True, True, False, False]
    assert said.str.contains(any_of(("price", "c+d"))).to_list() == [False, True, False, False]


def test_praise_that_is_denied_is_blame() -> None:
    told = messages("good and perfect", "not good", "a terrible day", "it is blue", language="en")
    scores = LexiconRule("en").score(told).round(6).tolist()
    assert scores == [pytest.approx(2 / 3, abs=1e-6), -0.5, -0.5, 0.0]


def test_a_language_without_a_lexicon_scores_alike() -> None:
    assert LexiconRule("pl").score(messages("dobre", "złe", language="pl")).tolist() == [0.0, 0.0]
