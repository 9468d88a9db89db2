"""What a source file may say of its customers' messages: languages, what counts as satisfied, words of its own."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from orchestration.intake.strict import Strict, as_tuple

Words = Annotated[tuple[str, ...], BeforeValidator(as_tuple), Field(min_length=1)]


class FeedbackConfig(Strict):
    """Feedback: in which languages it is read, when a customer is satisfied, and what a contest needs."""

    languages: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        ("en", "de", "fr", "es", "pt", "it", "nl"),
        min_length=1,
        description="languages that customers write in (ISO 639-1), by which short messages are told; fewer are surer",
    )
    satisfied_from: float = Field(4, description="rating from which a customer counts as satisfied, on the own scale")
    minimum_messages: int = Field(200, ge=20, description="rated messages that a language needs")
    minimum_outcomes: int = Field(
        30, ge=10, description="messages of satisfied and of dissatisfied customers that a language needs"
    )
    margin: float = Field(
        0.1,
        ge=0,
        lt=0.5,
        description="by how much the lower end of the AUC's 95 % interval must be above 0.5 (chance), or the language "
        "is unsupported",
    )
    aspects: dict[str, Words] = Field(
        {},
        description="words by aspect, beside those that are known: `warranty: [warrant*, garantie]`; `*` stands for "
        "any end of a word",
    )

    @field_validator("languages")
    @classmethod
    def _codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from ml.feedback_schemas import ISO_639_1

        for code in value:
            if code not in ISO_639_1:
                raise ValueError(f"'{code}' is no language that is known; codes are ISO 639-1, such as en, de or pt")
        return tuple(dict.fromkeys(value))

    @field_validator("aspects")
    @classmethod
    def _plain(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for aspect, words in value.items():
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", aspect):
                raise ValueError(f"'{aspect}': name an aspect in small letters, digits and _")
            for word in words:
                if not re.fullmatch(r"[^\W_][\w' -]*\*?", word):
                    raise ValueError(f"{aspect}: '{word}' is no word; a `*` may stand at its end")
        return value
