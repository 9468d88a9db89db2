"""Which language a message is in, by py3langid: a naive Bayes model of byte n-grams that its package brings along.

It knows a hundred languages and is sure of few short texts, so it is asked twice: which of the languages that
customers are said to write in, and whether it is surely another one.
"""

from collections.abc import Sequence
from copy import copy
from functools import cache
from typing import Any, Final

import polars as pl
from threadpoolctl import threadpool_limits

from ml.feedback.texts import normalised
from ml.feedback_schemas import FEEDBACK_MESSAGES, ISO_639_1
from ml.schemas import conform

UNKNOWN: Final = "unknown"
SURE_OF_ANOTHER: Final = 0.9
LIKELIER_THAN_NOT: Final = 0.5
_LETTERS: Final = 400  # of a text: more make nobody surer


def identify(texts: pl.Series, *, among: Sequence[str]) -> pl.Series:
    """ISO 639-1 code of each text's language, or UNKNOWN.

    One of `among` where that is likelier than all others of them together; another where the text is surely none of
    them (probability from 0.9 of all languages). A text without letters is of no language. With one language alone in
    `among` whatever is not surely another is of it.

    Raises:
        ValueError: a code that is no language's.
    """
    with threadpool_limits(1):  # the same digits on any machine
        return pl.Series([_identify(text, tuple(among)) for text in _read(texts)], dtype=pl.String)


def describe(messages: pl.DataFrame, *, among: Sequence[str]) -> pl.DataFrame:
    """FEEDBACK_MESSAGES of messages with `as_of_date` and text: language and number of words."""
    words = messages["text"].fill_null("").str.count_matches(r"\p{L}+")
    return conform(
        messages.with_columns(language=identify(messages["text"], among=among), word_count=words), FEEDBACK_MESSAGES
    )


def _read(texts: pl.Series) -> list[str]:
    lower = texts.fill_null("").str.to_lowercase()
    has_letters = normalised(texts).str.contains(r"\p{L}{2,}")
    return [text[:_LETTERS] if known else "" for text, known in zip(lower, has_letters, strict=True)]


def _identify(text: str, among: tuple[str, ...]) -> str:
    if not text:
        return UNKNOWN
    language, confidence = _identifier(()).classify(text)
    if language not in among and confidence >= SURE_OF_ANOTHER:
        return str(language) if language in ISO_639_1 else UNKNOWN
    language, confidence = _identifier(among).classify(text)
    return str(language) if confidence > LIKELIER_THAN_NOT else UNKNOWN


@cache
def _identifier(among: tuple[str, ...]) -> Any:
    """An identifier of these languages, of all where none is given; loading its model takes half a second."""
    if among:
        some = copy(_identifier(()))
        some.set_languages(list(among))
        return some
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
