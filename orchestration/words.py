"""Names as people write them, the same in the command line, in pictures and in the dashboard. Imports nothing."""

from typing import Final

SPELT: Final = {
    "auc": "AUC",
    "brier": "Brier score",
    "mase": "MASE",
    "ndcg_at_10": "NDCG at 10",
    "ndcg_loss_at_10": "1 - NDCG at 10",
    "normalised_gini": "normalised Gini",
    "rmse": "RMSE",
    "rfm": "RFM",
}
"""What is no plain word."""


def in_words(name: str) -> str:
    """A column's, segment's, candidate's or metric's name as words."""
    return SPELT.get(name, name.replace("_", " "))


def heading(name: str) -> str:
    """The same as the begin of a heading: with a capital, and the others as they are."""
    words = in_words(name)
    return words[:1].upper() + words[1:]
