"""Commands that stay: dev opens the Dagster UI."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.options import DataDirOption, explained, settings_of
from orchestration.settings import PROJECT_DIR


def dev(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000, data_dir: DataDirOption = None) -> None:
    """Open the Dagster UI on 127.0.0.1 with the schedules."""
    with explained():
        import os
        import signal

        from orchestration.runner import prepare_instance

        settings = settings_of(None, data_dir)
        home = prepare_instance(settings)
        dagster = str(Path(sys.executable).with_name("dagster"))
        workspace = str(PROJECT_DIR / "workspace.yaml")
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # started from a script it would be ignored, and dagster never end
        os.execve(  # noqa: S606 - our own arguments, no shell
            dagster,
            [dagster, "dev", "-h", "127.0.0.1", "-p", str(port), "-w", workspace],
            settings.environment() | {"DAGSTER_HOME": str(home)},
        )
