"""Conditions in SQL that a source file may put on single customers, and what they may ask about.

Polars asks them, here of nobody to see whether it can, and later of customers.
"""

from collections.abc import Mapping
from typing import Any


def known_of_customer(attributes: tuple[str, ...]) -> dict[str, Any]:
    """The types of what is known of a customer when segments are made: attributes are texts."""
    import polars as pl

    from ml.segment_schemas import SEGMENT_INPUTS

    return {**dict.fromkeys(attributes, pl.String), **SEGMENT_INPUTS}


def check_condition(field: str, condition: str, *, known: Mapping[str, Any]) -> None:
    """Refuse a condition on the columns of customers that cannot be asked of one after the other.

    Raises:
        ValueError: it is no SQL, names an unknown column, is not true or false, or adds customers up.
    """
    import polars as pl

    nobody = pl.DataFrame(schema=known)
    try:
        answer = nobody.select(answer=pl.sql_expr(condition))
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{field}: '{condition}': {str(error).splitlines()[0]}") from None
    if answer.schema["answer"] != pl.Boolean or answer.height:
        raise ValueError(f"{field}: '{condition}' is not true or false of one customer")
