"""What a source file may declare as an activation: which customers are told where, and when that is stopped.

Conditions and columns are about `reports.rpt_customer_360` and declared attributes. How customers are told belongs in
`orchestration.activation`.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BeforeValidator, Field, model_validator

from orchestration.intake.conditions import check_condition
from orchestration.intake.known_keys import nearest
from orchestration.intake.strict import Strict, as_tuple
from orchestration.settings import DBT_PROJECT_DIR

CUSTOMERS: Final = "reports.rpt_customer_360"
"""The published table of customers that activations choose from."""
KEY: Final = "customer_id"
RESERVED: Final = ("change_id", "operation", KEY, "revision")
"""What every change has beside its columns."""
TYPES: Final = {"varchar": "String", "date": "Date", "boolean": "Boolean", "double": "Float64", "bigint": "Int64"}
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,62}$")]
"""The name of an activation, which is a file and an asset as well, or of a webhook, which is in variables."""


class Activation(Strict):
    """Customers who are told of at one destination, and what of each."""

    where: str | None = Field(
        None,
        description="which customers: a condition in SQL over the columns of reports.rpt_customer_360 and declared "
        "attributes; of those, only who allows marketing and is nobody's control; none: all of them",
    )
    columns: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        (), description="columns of the same that are sent beside customer_id; another value is an update"
    )
    folder: Path | None = Field(
        None, description="folder that exists, relative to the source file: one file per sync; or `webhook`"
    )
    format: Literal["csv", "parquet"] = Field("csv", description="format of the files in `folder`")
    webhook: Name | None = Field(
        None,
        description="name of an HTTP endpoint: CLIENTELE_CONNECTIONS__<NAME>_URL is its address, "
        "CLIENTELE_CONNECTIONS__<NAME>_SECRET signs; or `folder`",
    )
    batch_size: int = Field(100, ge=1, le=10_000, description="changes in one request of a webhook")
    requests_per_second: float = Field(10.0, gt=0, description="requests to a webhook at most")
    shrink_share: float = Field(
        0.3,
        ge=0,
        le=1,
        description="largest share of the customers at the destination that one sync may remove; 1: all of them",
    )

    @model_validator(mode="after")
    def _one_destination(self) -> "Activation":
        if (self.folder is None) == (self.webhook is None):
            raise ValueError("name either `folder` or `webhook`: where are changes delivered?")
        return self


def check(activations: Mapping[str, Activation], *, attributes: tuple[str, ...]) -> None:
    """Refuse conditions and columns that are not about one customer of the published table.

    Raises:
        ValueError: naming the activation.
    """
    if not activations:
        return
    known = columns(attributes)
    for name, one in activations.items():
        if one.where is not None:
            check_condition(f"actions.activations.{name}.where", one.where, known=known)
        for column in one.columns:
            if column in RESERVED:
                raise ValueError(f"actions.activations.{name}.columns: {column} goes with every change; leave it out")
            if column not in known:
                raise ValueError(f"actions.activations.{name}.columns: '{column}' is no column{nearest(column, known)}")


def columns(attributes: tuple[str, ...]) -> dict[str, Any]:
    """The types of all columns that an activation may name: attributes are texts."""
    import polars as pl

    return {**dict.fromkeys(attributes, pl.String), **_contract()}


@cache
def _contract() -> dict[str, Any]:
    """The columns of CUSTOMERS, as the contract of its YAML says."""
    schema, _, table = CUSTOMERS.partition(".")
    file = DBT_PROJECT_DIR / "models" / schema / f"{table}.yml"
    (model,) = yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
    return {column["name"]: _type(column["data_type"]) for column in model["columns"]}


def _type(sql: str) -> Any:
    import polars as pl

    decimal = re.fullmatch(r"decimal\((\d+), *(\d+)\)", sql)
    return pl.Decimal(int(decimal[1]), int(decimal[2])) if decimal else getattr(pl, TYPES[sql])
