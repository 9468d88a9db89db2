"""Databases and APIs as a source file names them: which tables, what is new in them, and never a secret.

How their rows are fetched belongs in `landing`.
"""

from typing import Annotated, Any, Final

from pydantic import Field, SecretStr, field_validator, model_validator

from orchestration.intake.strict import Strict

SECRET_OF_AUTH: Final = {"bearer": "token", "api_key": "api_key", "http_basic": "password"}
"""The key of dlt's `auth` that takes the secret, by its type."""

Name = Annotated[str, Field(pattern="^[a-zA-Z][a-zA-Z0-9_]{0,62}$")]
"""The name of a connection or table, which is a folder as well."""


class Table(Strict):
    """One table of a database, or one list of an API."""

    table: str | None = Field(None, description="its own name, where it differs from the key")
    cursor: str | None = Field(
        None,
        description="column that grows with every change, such as updated_at: only rows after the last one are "
        "fetched; none: the whole table each time",
    )
    endpoint: dict[str, Any] | None = Field(
        None, description="of an API: path, params, data_selector, paginator and incremental, as in dlt's rest_api"
    )

    @property
    def is_incremental(self) -> bool:
        """Whether a fetch adds to what was fetched before instead of replacing it."""
        return bool(self.cursor or (self.endpoint or {}).get("incremental"))


class Connection(Strict):
    """One database or API. Its URL or secret comes from the environment as CLIENTELE_CONNECTIONS__<NAME>."""

    schema_name: str | None = Field(None, alias="schema", description="schema of the tables; none: the default one")
    api: dict[str, Any] | None = Field(
        None,
        description="an API instead of a database: base_url, headers, auth (without its secret) and paginator, as "
        "in dlt's rest_api",
    )
    tables: dict[Name, Table] = Field(min_length=1, description="what to fetch, by the name that `files` uses")

    @field_validator("tables", mode="before")
    @classmethod
    def _bare_names(cls, value: Any) -> Any:
        """A name with nothing behind it is a table with nothing special."""
        return (
            {name: {} if table is None else table for name, table in value.items()}
            if hasattr(value, "items")
            else value
        )

    @model_validator(mode="after")
    def _one_kind(self) -> "Connection":
        for name, table in self.tables.items():
            if not name.isidentifier():
                raise ValueError(f"tables.{name}: names are letters, digits and _; give the real one as `table`")
            if (self.api is None) != (table.endpoint is None):
                raise ValueError(f"tables.{name}.endpoint: is for an API, and an API's tables need it")
        if self.api is not None:
            if "base_url" not in self.api:
                raise ValueError("api.base_url: is required")
            auth = self.api.get("auth", {})
            if not isinstance(auth, dict) or set(auth) & set(SECRET_OF_AUTH.values()):
                raise ValueError("api.auth: a secret does not belong in a source file; name the type alone")
            if auth and auth.get("type") not in SECRET_OF_AUTH:
                raise ValueError(f"api.auth.type: known are {', '.join(SECRET_OF_AUTH)}")
        return self

    def client(self, secret: SecretStr | None) -> dict[str, Any]:
        """The API's client for dlt, with the secret where its kind of authentication takes it."""
        given = dict(self.api or {})
        auth = given.get("auth") or ({"type": "bearer"} if secret else None)
        if auth and secret:
            given["auth"] = {**auth, SECRET_OF_AUTH[auth["type"]]: secret.get_secret_value()}
        return given
