"""What every part of a source file's configuration is built on."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Frozen, and refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def as_tuple(value: object) -> object:
    """One item where several may stand."""
    return (value,) if isinstance(value, str | dict | int) else value
