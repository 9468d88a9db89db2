"""dbt's command line in a process of its own, `clientele-dbt`, that never parses and never outlives who started it.

What is built belongs in `assets`; where the parsed project lies, in `manifest`.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Final

PARSED_OPTION: Final = "--parsed-project"
"""Followed by the file of the parsed project; dbt itself does not see it."""
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Run dbt with the words of the command line on the project that was parsed before."""
    _die_with_parent()
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    words = sys.argv[1:]
    at = words.index(PARSED_OPTION)
    manifest = Manifest.from_msgpack(Path(words[at + 1]).read_bytes())
    done = dbtRunner(manifest=manifest).invoke([*words[:at], *words[at + 2 :]])
    if done.exception:
        sys.stderr.write(f"{done.exception}\n")
    sys.exit(0 if done.success else 2 if done.exception else 1)


def _die_with_parent() -> None:
    """Ask Linux to kill this process with its parent: a dbt that outlives its run would go on writing the warehouse."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it had died before
            sys.exit(1)
