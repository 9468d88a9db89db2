"""The reference page of source files, written from the models that validate them.

`python -m orchestration.intake.reference` writes it; a test compares it with what this module writes, so that it cannot
grow old.
"""

from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from orchestration.intake.connections import Connection
from orchestration.intake.entities import ENTITIES
from orchestration.intake.source_file import FileOptions, Lookup, Source
from orchestration.settings import PROJECT_DIR

PAGE = PROJECT_DIR / "docs" / "configuration.md"

INTRODUCTION = """# Source files: every key

Written by `python -m orchestration.intake.reference`; do not edit. To begin:
[connect your own data](connect_your_data.md).

A source file is YAML with `name`, `timezone`, `currency` and `entities`; the rest is optional. Each entity has `files`,
`columns` (contract column: SQL expression over the file's columns), optionally `where` (SQL condition; rows outside it
are counted as excluded) and `options`; it may be a list of several such parts. Unknown keys are refused.
"""


def page() -> str:
    """The whole page as Markdown."""
    sections = [INTRODUCTION, "## Entities and their columns\n"]
    for entity in ENTITIES.values():
        columns = ", ".join(
            f"**{column.name}**" if column.is_required else f"{column.name}{' (vault)' if column.is_private else ''}"
            for column in entity.columns
        )
        more = " Any other column is kept as an attribute." if entity.takes_attributes else ""
        sections.append(f"- `{entity.name}`, one row per {entity.grain}: {columns}.{more}")
    sections.append("\nBold: required. Any entity may map `updated_at`: of rows with one key the newest wins.\n")
    sections += ["## `options` of an entity\n", *_table(FileOptions, "")]
    sections += ["\n## `lookups` of an entity, each by the name that expressions use\n", *_table(Lookup, "")]
    sections += ["\n## `connections`, each by the name that `landing:<name>/<table>` uses\n", *_table(Connection, "")]
    for name, field in Source.model_fields.items():
        if _model(field) not in (None, Connection):
            prefix = f"{name}.<name>." if get_origin(field.annotation) is dict else f"{name}."
            rows = _table(_model(field), prefix)
            if len(rows) > 2:
                sections += [f"\n## `{name}`\n", f"{(_model(field).__doc__ or '').strip()}\n", *rows]
    return "\n".join(sections) + "\n"


def _table(model: Any, prefix: str) -> list[str]:
    return ["| key | default | what |", "| --- | --- | --- |", *_rows(model, prefix)]


def _rows(model: Any, prefix: str) -> list[str]:
    rows = []
    for key, field in model.model_fields.items():
        inner, name = _model(field), f"{prefix}{field.alias or key}"
        if inner is FileOptions:
            rows.append(f"| `{name}` | none | how those files are written, as `options` above |")
        elif inner is not None:
            rows += _rows(inner, f"{name}.<name>." if get_origin(field.annotation) is dict else f"{name}.")
        else:
            rows.append(f"| `{name}` | {_shown(field)} | {field.description or ''} |")
    return rows


def _model(field: FieldInfo) -> Any:
    kinds = [field.annotation, *(get_args(field.annotation) if get_origin(field.annotation) else [])]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _shown(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None or field.default in ((), {}):
        return "none"
    return f"`{list(field.default) if isinstance(field.default, tuple) else field.default}`"


def main(target: Path = PAGE) -> None:
    """Write the page."""
    target.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
