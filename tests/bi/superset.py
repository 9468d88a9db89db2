"""Superset with the project's bundle imported, on 127.0.0.1, and its dashboard in a real browser."""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Response

from tests.bi.bundle import BUNDLE, parts, with_folder
from tests.bi.reading import Told
from tests.bi.recipes import question
from tests.bi.tools import run
from tests.browser import PATIENCE, serving
from tests.proxy import free_port

CONFIG = """
SECRET_KEY = "only a test's own, on 127.0.0.1, gone with it"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
SUPERSET_WEBSERVER_TIMEOUT = 600
"""
PASSWORD = "only-for-this-test"  # noqa: S105
CHARTS = len(parts("charts"))


@contextmanager
def superset(programs: Path, folder: Path, *, data_dir: Path) -> Iterator[str]:
    """Superset, set up as docs/bi.md says, up; gives its address. What it logs lies in `superset.log`."""
    folder.mkdir()
    (folder / "superset_config.py").write_text(CONFIG.format(folder=folder))
    given = dict(os.environ) | {
        "SUPERSET_CONFIG_PATH": str(folder / "superset_config.py"),
        "SUPERSET_HOME": str(folder),
        "FLASK_APP": "superset",
    }
    shutil.copytree(BUNDLE, folder / "bi" / "superset")
    database = folder / "bi/superset/databases/clientele.yaml"
    database.write_text(with_folder(database.read_text(), data_dir))
    run(sys.executable, "-m", "zipfile", "-c", "clientele.zip", "superset", cwd=folder / "bi")
    program = programs / "superset"
    run(program, "db", "upgrade", env=given)
    who = ("--username", "admin", "--firstname", "A", "--lastname", "B", "--email", "a@example.org")
    run(program, "fab", "create-admin", *who, "--password", PASSWORD, env=given)
    run(program, "init", env=given)
    run(program, "import-dashboards", "--path", folder / "bi/clientele.zip", "--username", "admin", env=given)
    run(program, "import-directory", "--overwrite", folder / "bi/superset", env=given)
    port = free_port()
    words = [str(program), "run", "--port", str(port), "--with-threads"]
    with serving(words, given, folder / "superset.log", health=f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}"


def signed_in(browser: Browser, address: str) -> Page:
    """A page of somebody who has signed in."""
    page = browser.new_page(viewport={"width": 1440, "height": 4150})  # charts out of sight are not asked for
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/login/")
    page.locator("#username, [data-test='username-input']").first.fill("admin")
    page.locator("#password, [data-test='password-input']").first.fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/welcome/**")
    return page


def ask_sql_lab(page: Page, address: str, told: Told) -> None:
    """The question of all recipes, as an analyst types it."""
    asked = {
        "database_id": 1,
        "sql": question(),
        "schema": "reports",
        "runAsync": False,
        "select_as_cta": False,
    }
    answer = page.request.post(f"{address}/api/v1/sqllab/execute/", data=asked, timeout=PATIENCE)
    if answer.ok:
        told.add([tuple(row.values()) for row in answer.json()["data"]])
    else:
        told.errors.append(f"SQL Lab: {answer.status} {answer.text()[:500]}")


def look_at_dashboard(page: Page, address: str, told: Told) -> None:
    """Open the dashboard and ask on the side until every chart is there; what a chart complains of is an error."""
    answered: set[str] = set()

    def note(response: Response) -> None:
        if "/api/v1/chart/data" in response.url:
            asked = json.loads(response.request.post_data or "{}").get("form_data", {})
            answered.add(str(asked.get("slice_id", "")))
            if response.status != 200:
                told.errors.append(f"chart {asked.get('slice_id')}: {response.status} {response.text()[:500]}")

    page.on("response", note)
    page.goto(f"{address}/superset/dashboard/clientele/")
    deadline = time.monotonic() + PATIENCE / 1000
    while len(answered - {""}) < CHARTS and time.monotonic() < deadline:
        ask_sql_lab(page, address, told)
        page.wait_for_timeout(50)
    page.wait_for_timeout(500)  # charts are drawn after their answer
    page.remove_listener("response", note)
    told.errors += [f"only {len(answered - {''})} charts of {CHARTS}"] if len(answered - {""}) < CHARTS else []
    told.errors += [text for text in page.get_by_role("alert").all_inner_texts() if text.strip()]
