"""The dbt project, parsed once: where the manifest lies, and when it has to be made anew.

One parse serves every data folder and every process: nothing in the project depends on a variable.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from orchestration.errors import ClienteleError
from orchestration.settings import DBT_PROJECT_DIR, Settings

MANIFEST: Final = "manifest.json"
PARSED: Final = "partial_parse.msgpack"  # the same as an object that dbt loads in a second
SEMANTIC: Final = "semantic_manifest.json"  # what MetricFlow reads of it
SELECTED: Final = "selected"  # the manifest's key for what each selection stands for
REPORTS = "clientele.reports clientele.quality.capabilities source:ml"  # what reads the Python assets, and their tests
MARTS: Final = "dbt_marts"
SELECTIONS: Final = {MARTS: ("fqn:*", REPORTS), "dbt_reports": (REPORTS, "")}
"""What dbt builds before and after Python: nodes to select and nodes to leave out."""
KEPT = 6  # manifests of other states of the project and engines: a run that began before an edit still reads its own


def prepare_manifest(settings: Settings) -> Path:
    """Parse the project unless this state of it has been parsed, and return its `manifest.json`.

    Raises:
        ClienteleError: the project does not parse; dbt's own words say why.
    """
    home = settings.made_once_dir
    place = home / _fingerprint(settings.dbt_target)
    if not (place / MANIFEST).exists():
        building = home / f".{place.name}.{os.getpid()}"
        _parse(building, settings)
        try:
            building.rename(place)
        except OSError:  # another process was quicker
            shutil.rmtree(building)
        else:
            for old in sorted(home.glob("[!.]*/"), key=lambda folder: folder.stat().st_mtime)[:-KEPT]:
                shutil.rmtree(old)
    return place / MANIFEST


def _parse(target: Path, settings: Settings) -> None:
    """dbt's own parse; the warehouse that it names is not opened."""
    target.mkdir(parents=True, exist_ok=True)
    places = {"--project-dir": DBT_PROJECT_DIR, "--profiles-dir": DBT_PROJECT_DIR, "--log-path": target}
    words = [str(word) for pair in places.items() for word in pair]
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [sys.executable, "-m", "orchestration.dbt.parse", str(target), *words, "--target", settings.dbt_target],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(target)
        raise ClienteleError(f"The dbt project does not parse:\n{done.stdout}{done.stderr}")


def selection_key(select: str, exclude: str) -> str:
    """A selection as one text."""
    return f"{select} - {exclude}"


def _fingerprint(target: str) -> str:
    known = [version("dbt-core"), version(f"dbt-{target}"), str(DBT_PROJECT_DIR), str(SELECTIONS)]
    digest = hashlib.sha256("\0".join(known).encode())
    for file in sorted(DBT_PROJECT_DIR.rglob("*")):
        if file.suffix in (".sql", ".yml") and "target" not in file.relative_to(DBT_PROJECT_DIR).parts:
            digest.update(str(file.relative_to(DBT_PROJECT_DIR)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]
