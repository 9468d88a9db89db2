"""Every tool of a package registry reads the published file while it is replaced, by its recipe in docs/bi.md."""

import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page

from orchestration.settings import PROJECT_DIR, Settings
from tests.bi.publications import Publications, publish_version, version_of
from tests.bi.reading import EVIDENCE, JUPYTER, MARIMO, NODE, PYTHON, SHELL, Reader, Told
from tests.bi.recipes import question, recipe
from tests.bi.superset import ask_sql_lab, look_at_dashboard, signed_in, superset
from tests.bi.tools import DUCKDB, Tools
from tests.browser import CHROMIUM, LACK, chromium, copied, dashboard, settled

pytestmark = [
    pytest.mark.bi,
    pytest.mark.skipif(CHROMIUM is None, reason=LACK),
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed (Debian package npm)"),
]
PUBLICATIONS = 20
PROCESSES = (
    *(f"DuckDB {version} in Python" for version in DUCKDB),
    "Jupyter",
    "marimo",
    "command line",
    "Node",
    "Evidence",
)
TOLD = (*PROCESSES, "Superset", "dashboard")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    return Tools(tmp_path_factory.mktemp("tools"))


@pytest.fixture(scope="module")
def shown(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """What the first run published, in a folder that a test may publish to."""
    own = copied(settings, tmp_path_factory.mktemp("republished"))
    publish_version(own, 0)
    return own


def readers(tools: Tools, shown: Settings, folder: Path) -> dict[str, Reader]:
    """Every tool that is a process, reading."""
    own = shown.data_dir
    in_python, notebooks, node = recipe("Python and Jupyter", "python", data_dir=own), tools.notebooks(), tools.node()
    begun = {
        f"DuckDB {version} in Python": Reader(
            folder / version, tools.duckdb(version) / "python", "-c", PYTHON, files={"recipe.py": in_python}
        )
        for version in DUCKDB
    }
    python = notebooks / "python"
    begun["Jupyter"] = Reader(folder / "jupyter", python, "-c", JUPYTER, files={"recipe.py": in_python})
    notebook = (PROJECT_DIR / "bi" / "notebook.py", shown.published_dir / "current" / "clientele.duckdb")
    begun["marimo"] = Reader(folder / "marimo", python, "-c", MARIMO, *notebook, files={})
    on_the_shell = recipe("Command line", "sh", data_dir=own).replace("duckdb -", f"{notebooks / 'duckdb'} -", 1)
    begun["command line"] = Reader(folder / "shell", "bash", "-ec", SHELL, files={"recipe.sh": on_the_shell})
    in_node = recipe("Node", "js", data_dir=own) + "\nexport { rows };\n"
    begun["Node"] = Reader(node / "node", "node", "loop.mjs", files={"recipe.mjs": in_node, "loop.mjs": NODE})
    sources = node / "evidence"
    sources.mkdir(exist_ok=True)
    (sources / "clientele.duckdb").unlink(missing_ok=True)
    (sources / "clientele.duckdb").symlink_to(shown.published_dir / "current" / "clientele.duckdb")
    options = yaml.safe_load(recipe("Evidence", "yaml"))["options"]
    options = json.dumps(yaml.safe_load(recipe("Evidence", "yaml"))["options"])
    begun["Evidence"] = Reader(sources, "node", "loop.mjs", options, question(), files={"loop.mjs": EVIDENCE})
    return begun


def look_at_ours(page: Page, address: str, told: Told) -> None:
    """Open our own dashboard and compare the day that it names with the number that it shows."""
    page.goto(address)
    settled(page, "Overview")
    told.errors += page.get_by_test_id("stException").all_inner_texts()
    named = page.get_by_text(" as of ").first.inner_text().split(" as of ")[1].rstrip(".")
    day = datetime.strptime(named, "%d %B %Y").replace(tzinfo=UTC).date()
    shown = page.get_by_test_id("stMetricValue").first.inner_text().split()[0].replace(",", "")
    told.versions.append(version_of(str(day), shown))


@pytest.fixture(scope="module")
def told(tools: Tools, shown: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """What each tool was told while versions were published: all at the same time, browsers one after the other."""
    folder, found = tmp_path_factory.mktemp("reading"), {"Superset": Told(), "dashboard": Told()}
    with (
        superset(tools.superset(), folder / "superset", data_dir=shown.data_dir) as theirs,
        dashboard(shown) as ours,
        chromium() as browser,
    ):
        at_superset, at_ours = signed_in(browser, theirs), browser.new_page()
        begun = readers(tools, shown, folder)
        while not all(reader.has_begun for reader in begun.values()):
            time.sleep(0.2)
        publications = Publications(shown, PUBLICATIONS)
        publications.start()
        while publications.is_alive():
            look_at_dashboard(at_superset, theirs, found["Superset"])
            look_at_ours(at_ours, ours, found["dashboard"])
        publications.join()
        assert publications.published == PUBLICATIONS
        found |= {name: reader.stopped() for name, reader in begun.items()}
        ask_sql_lab(at_superset, theirs, found["Superset"])
        look_at_ours(at_ours, ours, found["dashboard"])
    for name, one in found.items():
        seen, mixed = len(set(one.versions)), one.versions.count(None)
        print(f"{name}: {len(one.versions)} answers, {seen} versions, {mixed} mixed, {len(one.errors)} errors")  # noqa: T201 - for -s
    return found


@pytest.mark.parametrize("tool", TOLD)
def test_a_tool_reads_without_an_error_and_never_two_versions_at_once(tool: str, told: dict[str, Told]) -> None:
    assert told[tool].errors == []
    assert None not in told[tool].versions
    assert len(set(told[tool].versions)) > 1, "it saw no publication"
    assert told[tool].versions == sorted(told[tool].versions), "it went back to an older version"


@pytest.mark.parametrize("tool", ["Superset", "dashboard"])
def test_a_server_that_stays_up_shows_the_last_version_in_the_end(tool: str, told: dict[str, Told]) -> None:
    assert told[tool].versions[-1] == PUBLICATIONS
