"""Small helpers that turn frames into Dagster metadata. No row of a customer ever becomes metadata."""

import base64
import io
from typing import TYPE_CHECKING, Final

import dagster as dg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDEST: Final = 960
"""Pixels: the UI's dialog takes four fifths of a window, and cuts off what is wider."""


def picture(figure: "Figure", *, title: str) -> dg.MarkdownMetadataValue:
    """A figure as metadata that the UI shows in place; `title` is its text for those who cannot see it."""
    buffer = io.BytesIO()
    dots = min(110.0, WIDEST / figure.get_figwidth())
    figure.savefig(buffer, format="png", dpi=dots, bbox_inches="tight")
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})")
