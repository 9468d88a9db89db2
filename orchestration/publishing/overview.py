"""The overview beside a published database: one page that needs nothing else, drawn with every version.

What is on it belongs in `dashboard`.
"""

import os
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import Final

from orchestration.settings import Settings

OVERVIEW: Final = "overview.html"


def draw(folder: Path, tables: Collection[str], settings: Settings) -> None:
    """Write the overview of the version in a folder, if it has the tables for it: older ones have not."""
    from dashboard import kpis, overview_file  # a second that only publishing needs
    from dashboard.published import Published

    if not {*kpis.TABLES} <= {*tables}:
        return
    (folder / OVERVIEW).write_text(overview_file.render(Published(folder), program=_program(settings)))


def _program(settings: Settings) -> str:
    """The program that draws, made once for a version of its library: the data have no part in it."""
    from dashboard import overview_file

    kept = settings.made_once_dir / f"drawing-{version('vl-convert-python')}.js"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_name(f".{kept.name}.{os.getpid()}")  # another run may be making it
        aside.write_text(overview_file.drawing_program())
        aside.replace(kept)
    return kept.read_text()
