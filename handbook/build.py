"""Builds the site: pages are gathered in a folder aside, Zensical makes HTML of them, dbt adds its lineage.

Zensical stops at a link to a page or heading that is not there.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

from handbook import tables
from orchestration.dbt.assets import command
from orchestration.dbt.manifest import MANIFEST, prepare_manifest
from orchestration.errors import ClienteleError
from orchestration.intake.source_file import load_source
from orchestration.privacy.registry import read_registry
from orchestration.settings import PROJECT_DIR, Settings

HERE: Final = PROJECT_DIR / "handbook"
DOCS: Final = PROJECT_DIR / "docs"
ALSO: Final = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages that live beside the code, where whoever works on it looks first."""
LINK: Final = re.compile(r"\[([^\]]*)\]\((?!https?:)([^)#]+)(#[^)]*)?\)")

LISTED: Final = re.compile(r"^ *# the page about each folder of tables.*\n", re.MULTILINE)
"""Where the configuration lists the pages that are written."""


def build(site: Path, settings: Settings) -> None:
    """Write the whole site to a folder, which it replaces.

    Raises:
        ClienteleError: a page links to what is not there, or dbt cannot write its docs; their own words say which.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        gather(work / "pages", settings)
        render(work)
        lineage(work / "site" / "lineage", settings)
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(work / "site", site)


def gather(pages: Path, settings: Settings) -> None:
    """Lay down every page in Markdown, with the pictures and files that they link to."""
    shutil.copytree(DOCS, pages)
    for source, target in ALSO.items():
        shutil.copy(PROJECT_DIR / source, pages / target)
    for page in pages.glob("*.md"):
        origin = PROJECT_DIR if page.name in ALSO.values() else DOCS
        page.write_text(LINK.sub(partial(_linked, origin=origin, pages=pages), page.read_text()))
    manifest = json.loads(prepare_manifest(settings).read_text())
    registry = read_registry(manifest, source=load_source(settings.source))
    (pages / "tables").mkdir()
    for name, text in tables.pages(manifest, registry).items():
        (pages / "tables" / name).write_text(text)
    (pages / "assets").mkdir()
    for asset in ("iframe-worker.js", "site.css"):
        shutil.copy(HERE / asset, pages / "assets")


def render(work: Path) -> None:
    """Make `site` of the `pages` in a folder.

    Raises:
        ClienteleError: a page links to a page or heading that is not there.
    """
    tables_pages = [page for page in sorted((work / "pages" / "tables").glob("*.md")) if page.stem != "index"]
    titles = {page.name: page.read_text().partition("\n")[0].removeprefix("# ") for page in tables_pages}
    entries = "".join(f'    {{ "{title}" = "tables/{name}" }},\n' for name, title in titles.items())
    configuration = (HERE / "zensical.toml").read_text()
    (work / "zensical.toml").write_text(LISTED.sub(lambda _: entries, configuration))
    _run([str(Path(sys.executable).with_name("zensical")), "build", "--strict"], cwd=work)


def lineage(target: Path, settings: Settings) -> None:
    """Write dbt's own docs as one page: every model with its SQL, tests and lineage. No warehouse is opened."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(prepare_manifest(settings), work / MANIFEST)
        words = ["--static", "--empty-catalog", "--no-compile"]
        _run(command("docs", "generate", *words, settings=settings, warehouse=work / "none.duckdb", target=work))
        target.mkdir(parents=True)
        shutil.copy(work / "static_index.html", target / "index.html")


def _linked(link: re.Match[str], *, origin: Path, pages: Path) -> str:
    """A link as it is on the site: pages stay, a file of the project comes along, a folder is named."""
    text, path, heading = link[1], link[2], link[3] or ""
    file = (origin / path).resolve()
    inside = str(file.relative_to(PROJECT_DIR))
    if inside in ALSO:
        return f"[{text}]({ALSO[inside]}{heading})"
    if file.is_relative_to(DOCS):
        return f"[{text}]({file.relative_to(DOCS)}{heading})"
    if file.is_dir():
        return f"`{inside}`"
    kept = pages / "files" / inside
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, kept)
    return f"[{text}](files/{inside})"


def _run(words: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        raise ClienteleError(f"{Path(words[0]).name} did not make its pages:\n{done.stdout}{done.stderr}")
