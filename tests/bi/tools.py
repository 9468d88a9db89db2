"""BI tools and clients in environments of their own, installed from PyPI and npm by their ordinary clients.

Into a temporary folder, or the one that CLIENTELE_TEST_TOOLS names, where they stay for the next time.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

UV = str(Path(sys.executable).with_name("uv"))
DUCKDB = ("1.4.5", "1.5.6", "2.0.1")
NOTEBOOKS = (
    "marimo==0.25.2",
    "duckdb==2.0.1",
    "polars",
    "pyarrow",
    "altair",
    "nbclient",
    "ipykernel",
    "duckdb-cli==1.5.6",
)
SUPERSET = (
    "apache-superset==6.1.0", "duckdb-engine==0.17.0", "duckdb==1.5.6", "rich", "cachetools", "pytz",
    "flask-caching==2.3.1",
)  # fmt: skip
NODE = ("@duckdb/node-api@1.5.6-r.1", "@evidence-dev/duckdb@2.0.1")


class Tools:
    """Where tools are installed; each is on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.environ.get("CLIENTELE_TEST_TOOLS", folder))
        self.folder.mkdir(parents=True, exist_ok=True)

    def duckdb(self, version: str) -> Path:
        """The programs of an environment with one version of DuckDB's Python client."""
        return self._python(f"duckdb-{version}", (f"duckdb=={version}",))

    def notebooks(self) -> Path:
        """The programs of an environment with marimo, Jupyter's kernel, and DuckDB's command line."""
        return self._python("notebooks", NOTEBOOKS)

    def superset(self) -> Path:
        """The programs of an environment with Superset."""
        return self._python("superset", SUPERSET)

    def node(self) -> Path:
        """A folder whose node_modules hold DuckDB's client and Evidence's connector."""
        folder = self.folder / "node"
        if not (folder / "done").exists():
            folder.mkdir(exist_ok=True)
            (folder / "package.json").write_text(json.dumps({"type": "module"}))
            run("npm", "install", "--no-audit", "--no-fund", *NODE, cwd=folder)
            (folder / "done").touch()
        return folder

    def _python(self, name: str, packages: tuple[str, ...]) -> Path:
        folder = self.folder / name
        if not (folder / "done").exists():
            run(UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
            run(UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *packages)
            (folder / "done").touch()
        return folder / "bin"


def run(*words: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """A command that must not fail."""
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
