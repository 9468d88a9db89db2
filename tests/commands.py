"""The command line as a user types it, and what a run left in its data folder."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.publishing.generations import read_manifest
from orchestration.settings import Settings

CANARY_WORD = "canary-b7Q2-secret"
"""Stands in every secret of the environment that tests give to commands, and may be told nowhere."""
SECRETS = {
    "connections__crm": f"postgresql://reader:{CANARY_WORD}@127.0.0.1:9/crm",
    "alerts": f"json://127.0.0.1:9/{CANARY_WORD}",
    "privacy_key": CANARY_WORD * 2,
}
CLIENTELE = str(Path(sys.executable).with_name("clientele"))


@dataclass(frozen=True)
class Finished:
    """A command that ended: its settings, exit code and what it wrote."""

    settings: Settings
    exit_code: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        found: dict[str, Any] = json.loads(self.stdout)
        return found


def clientele(*arguments: str, source: Path, data_dir: Path, **variables: str) -> Finished:
    """Run a command in a process of its own, as a user would; `variables` are settings without their prefix."""
    given = environment(source=source, data_dir=data_dir, **variables)
    done = subprocess.run([CLIENTELE, *arguments], env=given, capture_output=True, text=True, check=False)
    return Finished(Settings(source=source, data_dir=data_dir), done.returncode, done.stdout, done.stderr)


def environment(*, source: Path, data_dir: Path, **variables: str) -> dict[str, str]:
    """The environment of a command; `variables` are settings without their prefix."""
    given = SECRETS | {"source": str(source), "data_dir": str(data_dir)} | variables
    return dict(os.environ) | {f"CLIENTELE_{name.upper()}": value for name, value in given.items()}


def hashes(folder: Path) -> dict[str, str]:
    """The hash of every table of a published version."""
    manifest = read_manifest(folder)
    assert manifest is not None, f"{folder} holds no version"
    return {name: table["hash"] for name, table in manifest["tables"].items()}


def metadata(settings: Settings, run_id: str) -> dict[str, dict[str, Any]]:
    """The metadata of every asset that a run materialized, by `schema.table`, from the instance that the UI shows."""
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        records = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    found = [entry.get_dagster_event().step_materialization_data.materialization for entry in records]
    return {".".join(one.asset_key.path): {name: value.value for name, value in one.metadata.items()} for one in found}
