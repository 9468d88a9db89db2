"""A disk that fills up in the middle of a run: a sentence with path and bytes, and the old publication intact."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Finished, hashes
from tests.faults.undisturbed import Stage, stages

PROJECT = Path(__file__).parent.parent.parent
NAMESPACE = ["unshare", "--map-root-user", "--mount"]
LEFT = (0, 4096, 65_536, 1024**2, 4 * 1024**2, 16 * 1024**2)
STRUCK = ("ingest", "marts", "train", "reports", "publish")


@pytest.fixture(autouse=True)
def can_mount() -> None:
    """A small disk is mounted in a namespace, which some machines do not allow."""
    if not shutil.which("unshare") or subprocess.run([*NAMESPACE, "true"], check=False).returncode:
        pytest.skip("needs unshare with user and mount namespaces")


def filled(first_run: Finished, disk: Path, *, stage: Stage, left: int, heal: bool) -> dict[str, Any]:
    disk.mkdir()
    places = {"--data-dir": first_run.settings.data_dir, "--source": first_run.settings.source, "--disk": disk}
    point = {"--stage": json.dumps(asdict(stage)), "--left": left}
    words = [str(word) for pair in (places | point).items() for word in pair]
    command = [*NAMESPACE, sys.executable, "-m", "tests.faults.small_disk", *words, *(["--heal"] if heal else [])]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def refused(told: dict[str, Any], disk: Path) -> bool:
    """Whether the run ended in a sentence with the path and the bytes, and what was published before is there."""
    sentence = re.search(rf"{disk}/data: (the disk is full: )?[\d,]+ bytes are free", told["stderr"])
    return bool(told["exit_code"] and sentence and told["is_untouched"] and "Traceback" not in told["stderr"])


def test_a_disk_that_fills_up_in_dbt_ends_the_run_with_path_and_bytes(first_run: Finished, tmp_path: Path) -> None:
    marts = next(stage for stage in stages(first_run.stderr) if stage.name == "marts")
    told = filled(first_run, tmp_path / "disk", stage=marts, left=0, heal=False)
    assert refused(told, tmp_path / "disk"), told["stderr"]


@pytest.mark.full
@pytest.mark.parametrize("left", LEFT)
def test_a_disk_that_fills_up_in_any_stage_loses_nothing(first_run: Finished, tmp_path: Path, left: int) -> None:
    known = {stage.name: stage for stage in stages(first_run.stderr)}
    for name in STRUCK:
        told = filled(first_run, tmp_path / name, stage=known[name], left=left, heal=name == STRUCK[left % len(STRUCK)])
        assert refused(told, tmp_path / name), (name, left, told["stderr"])
        if "healed" in told:
            assert told["healed"] == hashes(first_run.settings.published_dir / "current")
