"""The reference page of source files, written from the models that validate them: `python -m orchestration.reference`.

A test compares the page with what this module writes, so that it cannot grow old.
"""

from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from orchestration.entities import ENTITIES
from orchestration.settings import PROJECT_DIR
from orchestration.source import FileOptions, Source

PAGE = PROJECT_DIR / "docs" / "configuration.md"

INTRODUCTION = """# Source files: every key

Written by `python -m orchestration.reference`; do not edit. To begin: [connect your own data](connect_your_data.md).

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
    for name, field in Source.model_fields.items():
        if _model(field) is not None:
            rows = _table(_model(field), f"{name}.")
            if len(rows) > 2:
                sections += [f"\n## `{name}`\n", f"{(_model(field).__doc__ or '').strip()}\n", *rows]
    return "\n".join(sections) + "\n"


def _table(model: Any, prefix: str) -> list[str]:
    return ["| key | default | what |", "| --- | --- | --- |", *_rows(model, prefix)]


def _rows(model: Any, prefix: str) -> list[str]:
    rows = []
    for name, field in model.model_fields.items():
        inner = _model(field)
        if inner is not None:
            rows += _rows(inner, f"{prefix}{name}.")
        else:
            rows.append(f"| `{prefix}{name}` | {_shown(field.default)} | {field.description or ''} |")
    return rows


def _model(field: FieldInfo) -> Any:
    kinds = [field.annotation, *(get_args(field.annotation) if get_origin(field.annotation) else [])]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _shown(default: object) -> str:
    if default is None or default == ():
        return "none"
    return f"`{list(default) if isinstance(default, tuple) else default}`"


def main(target: Path = PAGE) -> None:
    """Write the page."""
    target.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
