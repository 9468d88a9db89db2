"""How texts are read before anything is looked for in them: one spelling, whatever case and accents a writer uses."""

from typing import Final

import polars as pl

WORD: Final = r"(?u)\b[^\W\d_]{2,}\b"
"""A word as models count it: letters alone, so that no number of a person or an order becomes one."""


def normalised(texts: pl.Series) -> pl.Series:
    """Texts in small letters without accents, a null as an empty one."""
    return texts.fill_null("").str.to_lowercase().str.normalize("NFKD").str.replace_all(r"\p{M}+", "")


def any_of(words: tuple[str, ...]) -> str:
    """The regular expression of a text with one of the words; one that ends in `*` stands for all that begin so."""
    spelt = normalised(pl.Series(words, dtype=pl.String)).to_list()
    escaped = [pl_escape(word.removesuffix("*")) + (r"\w*" if word.endswith("*") else "") for word in spelt]
    return rf"\b(?:{'|'.join(sorted(escaped))})\b"


def pl_escape(word: str) -> str:
    """A word with what regular expressions read otherwise escaped."""
    found: str = pl.escape_regex(word)
    return found.replace(" ", r"\s+")
