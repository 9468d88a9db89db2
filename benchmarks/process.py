"""One piece of work in a process of its own: its CPU and wall seconds and its peak memory, children included.

Nothing heavy is imported here: the peak that Linux notes for a child begins with the memory of whoever started it.
"""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

PAUSE = 0.2  # seconds between looks at the memory of the process tree
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """What a process took: user and system seconds, and GiB of its largest process and of all at one moment."""

    cpu: float
    wall: float
    peak_process: float
    peak_tree: float
    told: dict[str, Any] = field(default_factory=dict)


class FailedError(Exception):
    """A measured process failed; its last words."""


def measure(words: list[str], *, log: Path) -> Measured:
    """Run a command to its end; what it prints as one JSON object in its last line is what it `told`.

    Raises:
        FailedError: it ended with another exit code than 0.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        begin = time.perf_counter()
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603 - our own words
        watcher = _Watcher(process.pid)
        watcher.start()
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    watcher.stop()
    if process.returncode:
        raise FailedError(f"{' '.join(words)} ended with {process.returncode}: {log.read_text()[-2000:]}")
    return Measured(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        peak_process=usage.ru_maxrss / 2**20,
        peak_tree=max(watcher.most / 2**30, usage.ru_maxrss / 2**20),
        told=_last_object(said),
    )


def median(readings: list[Measured]) -> Measured:
    """The reading in the middle by the CPU seconds of its work, which tells those of all as `readings`."""
    ordered = sorted(readings, key=_work)
    middle = ordered[(len(ordered) - 1) // 2]
    return replace(middle, told=middle.told | {"readings": [round(_work(one), 3) for one in ordered]})


def _work(reading: Measured) -> float:
    return float(reading.told.get("work_cpu", reading.cpu))


def python(module: str, *words: str | Path) -> list[str]:
    """The command that runs a module of ours."""
    return [sys.executable, "-m", module, *map(str, words)]


def _last_object(said: str) -> dict[str, Any]:
    lines = said.strip()
    start = lines if lines.startswith("{") else lines.rpartition("\n")[2]
    try:
        found = json.loads(start)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class _Watcher(threading.Thread):
    """Looks at the resident memory of a process and all below it, and remembers the most."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process, self._ended, self.most = process, threading.Event(), 0

    def run(self) -> None:
        while not self._ended.wait(PAUSE):
            self.most = max(self.most, sum(map(_resident, _tree(self._process))))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _tree(process: int) -> list[int]:
    found = [process]
    for one in found:  # grows while it is read: children after parents
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:  # it ended meanwhile
            continue
    return found


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0
