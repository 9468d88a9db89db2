"""The fewest people of whom a table may tell: fewer would say who somebody is. dbt has the same number."""

from typing import Final

SMALLEST_GROUP: Final = 11


def told(count: int) -> int | None:
    """A count of people, unless it is that of a few."""
    return count if count == 0 or count >= SMALLEST_GROUP else None


def in_words(count: int) -> str:
    """A count of people for a sentence."""
    return str(count) if told(count) is not None else f"fewer than {SMALLEST_GROUP}"
