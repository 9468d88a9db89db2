"""Another process that holds the writer lock of a data folder."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from orchestration.settings import Settings

HOLD = """
import sys
from orchestration.runs.writer import writer_lock
from orchestration.settings import Settings
with writer_lock(Settings(), wait=False):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_run(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of a data folder until the block ends."""
    command = [sys.executable, "-c", HOLD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=settings.environment(), text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()
