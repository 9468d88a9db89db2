"""The fewest people of whom a table may tell: fewer would say who somebody is. dbt has the same number."""

from typing import Final

SMALLEST_GROUP: Final = 11
