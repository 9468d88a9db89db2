"""A disk that fills up while a run goes on: a file system in memory of its own, in a mount namespace of its own.

Started as `unshare --map-root-user --mount python -m tests.faults.small_disk ...`; tells what happened as JSON.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from orchestration.publishing.generations import current, verify
from orchestration.settings import Settings
from tests.commands import clientele, hashes
from tests.faults.disturbed import disturbed
from tests.faults.undisturbed import Stage

ROOM = 256 * 1024**2  # beyond what the folder holds when the run begins
BLOCK = 1024**2


def fill(disk: Path, *, but: int) -> None:
    """Take all room of a disk but so many bytes."""
    free = shutil.disk_usage(disk).free
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:  # the run takes room as well
        for _ in range(max(0, free - but) // BLOCK):
            filler.write(bytes(BLOCK))
        filler.write(bytes(max(0, free - but) % BLOCK))


def main() -> None:
    """Copy a data folder to a small disk, run there, fill the disk at a point of the run, and say how that ended."""
    parser = argparse.ArgumentParser()
    for name in ("--data-dir", "--source", "--disk"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--stage", required=True, help="a Stage as JSON")
    parser.add_argument("--share", type=float, default=0.0)
    parser.add_argument("--left", type=int, required=True, help="bytes")
    parser.add_argument("--heal", action="store_true", help="make room afterwards, and run again")
    given = parser.parse_args()
    size = ROOM + sum(file.stat().st_size for file in given.data_dir.rglob("*") if file.is_file())
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(given.disk)]
    subprocess.run(mount, check=True)
    folder = given.disk / "data"
    shutil.copytree(given.data_dir, folder, symlinks=True)
    settings = Settings(source=given.source, data_dir=folder)
    before = current(settings)
    done = disturbed(
        "--retrain",
        source=given.source,
        data_dir=folder,
        stage=Stage(**json.loads(given.stage)),
        share=given.share,
        strike=lambda _process: fill(given.disk, but=given.left),
    )
    now = current(settings)
    assert before is not None
    assert now is not None
    verify(now)
    told = {"exit_code": done.exit_code, "stderr": done.stderr, "is_untouched": now.run_id == before.run_id}
    if given.heal:
        (given.disk / "filler").unlink()
        again = clientele("run", "--json", source=given.source, data_dir=folder)
        told["healed"] = hashes(folder / "published" / "current") if again.exit_code == 0 else again.stderr
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    os.umask(0o077)
    main()
