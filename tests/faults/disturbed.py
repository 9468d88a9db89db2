"""A run that something happens to: started as a user would, followed line by line, and struck at a point."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from orchestration.publishing.generations import current, verify
from orchestration.runs.writer import last_run, remember
from orchestration.settings import Settings
from tests.commands import CLIENTELE, Finished, environment
from tests.faults.undisturbed import LINE, Stage


def disturbed(
    *arguments: str,
    source: Path,
    data_dir: Path,
    stage: Stage,
    share: float,
    strike: Callable[["subprocess.Popen[str]"], None],
) -> Finished:
    """`clientele run` as if there were news, with `strike` after a share of a stage's usual time, or at its end."""
    settings = Settings(source=source, data_dir=data_dir)
    if last := last_run(settings):
        remember(settings, replace(last, state=None))
    with subprocess.Popen(
        [CLIENTELE, "run", "--json", *arguments],
        env=environment(source=source, data_dir=data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        heard: list[str] = []
        begun = threading.Event()

        def listen() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                heard.append(line)
                found = LINE.match(line)
                if found and stage.after and found[2].startswith(stage.after):
                    begun.set()
            begun.set()

        listener = threading.Thread(target=listen)
        listener.start()
        if stage.after:
            begun.wait()
        time.sleep(share * stage.seconds)
        if process.poll() is None:
            strike(process)
        assert process.stdout is not None
        told = process.stdout.read()
        process.wait()
        listener.join()
    return Finished(settings, process.returncode, told, "".join(heard))


def left_behind(data_dir: Path) -> list[str]:
    """The command lines of processes that still work on a data folder, such as a dbt that outlived its run."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(data_dir) in words and place.parent.name != str(os.getpid()):
            found.append(words)
    return found


def kill(process: "subprocess.Popen[str]") -> None:
    """End the run as a power cut would: the program gets no say."""
    process.send_signal(signal.SIGKILL)


def killed(folder: Path, source: Path, stage: Stage, share: float, *arguments: str) -> None:
    """One killed run; what BI reads must be one whole version, and within seconds nobody may write any more."""
    settings = Settings(source=source, data_dir=folder)
    before = current(settings)
    disturbed(*arguments, source=source, data_dir=folder, stage=stage, share=share, strike=kill)
    now = current(settings)
    assert (now is None) <= (before is None)
    if now:
        verify(now)
        assert now.manifest["run_id"] == now.run_id
    deadline = time.monotonic() + 5
    while left_behind(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_behind(folder) == []
