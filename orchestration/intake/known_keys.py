"""What a mistyped word was probably meant to be: the nearest known one, and the keys that a place of the YAML knows."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel


def nearest(word: str, known: Any) -> str:
    """A hint such as `; did you mean 'amount'?`, or nothing where no name is near."""
    match = difflib.get_close_matches(word, [str(name) for name in known], n=1, cutoff=0.6)
    return f"; did you mean '{match[0]}'?" if match else f"; known are {', '.join(sorted(known))}"


def known_keys(model: type[BaseModel], location: Iterable[str]) -> list[str]:
    """The keys that the model at this place below another allows; a step that is no key is a name of the user's."""
    for step in location:
        field = model.model_fields.get(step)
        model = next(_models(field.annotation), model) if field else model
    return [name for name in model.model_fields if name != "path"]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type such as dict[str, tuple[Part, ...]]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
