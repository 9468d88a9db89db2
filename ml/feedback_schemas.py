"""Column names and types of what `ml` says about feedback: each is the table of the same name in the schema `ml`.

Texts are in none of them. Logic does not belong here.
"""

from typing import Final

import polars as pl

from ml.schemas import Schema

_CODES: Final = (
    "af am an ar as az be bg bn br bs ca cs cy da de dz el en eo es et eu fa fi fo fr ga gl gu he hi hr ht hu hy id is "
    "it ja jv ka kk km kn ko ku ky la lb lo lt lv mg mk ml mn mr ms mt nb ne nl nn no oc or pa pl ps pt qu ro ru rw se "
    "si sk sl sq sr sv sw ta te th tl tr ug uk ur vi vo wa xh zh zu"
)
ISO_639_1: Final = frozenset(_CODES.split())
"""Languages that a message may be said to be in; the identifier knows dialects and extinct languages as well."""

MESSAGES: Final[Schema] = {
    "feedback_id": pl.String,
    "customer_id": pl.String,
    "feedback_date": pl.Date,
    "is_satisfied": pl.Boolean,
    "text": pl.String,
}
"""What models of feedback read. Grain: message of a known customer with a text. `is_satisfied` is null where nothing
was rated. It never becomes a table."""

FEEDBACK_MESSAGES: Final[Schema] = {
    "as_of_date": pl.Date,
    "feedback_id": pl.String,
    "customer_id": pl.String,
    "language": pl.String,
    "word_count": pl.Int64,
}
"""Grain: message of a known customer with a text."""

FEEDBACK_ASPECTS: Final[Schema] = {
    "as_of_date": pl.Date,
    "feedback_id": pl.String,
    "customer_id": pl.String,
    "aspect": pl.String,
}
"""Grain: message x aspect."""

FEEDBACK_SCORES: Final[Schema] = {
    "as_of_date": pl.Date,
    "feedback_id": pl.String,
    "customer_id": pl.String,
    "language": pl.String,
    "satisfied_probability": pl.Float64,
    "sentiment": pl.String,
    "served_by": pl.String,
    "model_version": pl.String,
    "is_stale": pl.Boolean,
}
"""Grain: message in a supported language."""

FEEDBACK_LANGUAGES: Final[Schema] = {
    "as_of_date": pl.Date,
    "language": pl.String,
    "message_count": pl.Int64,
    "customer_count": pl.Int64,
    "is_supported": pl.Boolean,
    "reason": pl.String,
    "served_by": pl.String,
    "candidate": pl.String,
    "model_version": pl.String,
    "trained_message_count": pl.Int64,
    "tested_message_count": pl.Int64,
    "tested_from_date": pl.Date,
    "tested_to_date": pl.Date,
    "satisfied_share": pl.Float64,
    "auc": pl.Float64,
    "auc_lower": pl.Float64,
    "auc_upper": pl.Float64,
    "lexicon_auc": pl.Float64,
    "macro_f1": pl.Float64,
}
"""Grain: language that enough customers write in; the others together are one row."""

FEEDBACK_DRIVERS: Final[Schema] = {
    "as_of_date": pl.Date,
    "language": pl.String,
    "kind": pl.String,
    "rank": pl.Int64,
    "direction": pl.String,
    "term": pl.String,
    "effect": pl.Float64,
    "customer_count": pl.Int64,
    "message_count": pl.Int64,
    "satisfied_share": pl.Float64,
    "satisfied_share_lower": pl.Float64,
    "satisfied_share_upper": pl.Float64,
    "words": pl.String,
}
"""Grain: language x kind (word, aspect) x direction x rank. `effect` is in log-odds."""

FEEDBACK_TABLES: Final[dict[str, Schema]] = {
    "feedback_messages": FEEDBACK_MESSAGES,
    "feedback_aspects": FEEDBACK_ASPECTS,
    "feedback_scores": FEEDBACK_SCORES,
    "feedback_languages": FEEDBACK_LANGUAGES,
    "feedback_drivers": FEEDBACK_DRIVERS,
}
