"""Small helpers that turn frames into Dagster metadata. No row of a customer ever becomes metadata."""

import base64
import io
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def picture(figure: "Figure", *, title: str) -> dg.MarkdownMetadataValue:
    """A figure as metadata that the UI shows in place; `title` is its text for those who cannot see it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})")
