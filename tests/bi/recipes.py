"""The recipes of docs/bi.md, as a reader of the page would copy them."""

import re
from pathlib import Path

from orchestration.settings import PROJECT_DIR
from tests.bi.bundle import with_folder

PAGE = PROJECT_DIR / "docs" / "bi.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def recipe(section: str, language: str, *, data_dir: Path | None = None) -> str:
    """The first block of code in a language below a heading, about a data folder if one is given."""
    _, found, after = PAGE.read_text().partition(f"\n## {section}\n")
    assert found, f"docs/bi.md has no section {section}"
    blocks = [code for name, code in BLOCK.findall(after.partition("\n## ")[0]) if name == language]
    assert blocks, f"{section} has no block of {language or 'plain text'}"
    return with_folder(blocks[0], data_dir) if data_dir else blocks[0]


def question() -> str:
    """The question that every recipe asks, for a tool that takes SQL alone."""
    found = re.search(r'"""(.*?)"""', recipe("Python and Jupyter", "python"), re.DOTALL)
    assert found
    return found[1].strip()
