"""Commands that stay or look after what stays: dev and viewer open the Dagster UI, dashboard the pages for managers,
alert-test tries the alerts.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.options import DataDirOption, explained, settings_of
from orchestration.errors import ClienteleError, InputError

if TYPE_CHECKING:
    from orchestration.settings import Settings

PortOption = Annotated[int, typer.Option(help="Port on 127.0.0.1.")]
PrefixOption = Annotated[str, typer.Option(help="Path below which a reverse proxy serves it, such as /clientele.")]


def dev(port: PortOption = 3000, data_dir: DataDirOption = None) -> None:
    """Open the Dagster UI on 127.0.0.1 with the schedules."""
    with explained():
        _replaced_by("dagster", ["dev", "-p", str(port)], settings_of(None, data_dir))


def viewer(port: PortOption = 3001, path_prefix: PrefixOption = "", data_dir: DataDirOption = None) -> None:
    """Open the Dagster UI on 127.0.0.1 for looking only: nothing can be started, stopped or changed in it."""
    with explained():
        words = ["--read-only", "-p", str(port), *(["--path-prefix", path_prefix] if path_prefix else [])]
        _replaced_by("dagster-webserver", words, settings_of(None, data_dir))


def dashboard(port: PortOption = 8501, data_dir: DataDirOption = None) -> None:
    """Open the dashboard on 127.0.0.1: pages over what is published, read-only, that follow new publications."""
    with explained():
        import os
        import signal
        from importlib.util import find_spec

        from orchestration.settings import PROJECT_DIR

        settings = settings_of(None, data_dir)
        if find_spec("streamlit") is None:
            raise InputError(
                "The dashboard needs Streamlit, which is not installed: `make dashboard` installs and opens it."
            )
        options = {
            "--server.address": "127.0.0.1",
            "--server.port": str(port),
            "--server.headless": "true",
            "--server.fileWatcherType": "none",
            "--browser.gatherUsageStats": "false",
            "--runner.magicEnabled": "false",  # it would draw every text that stands alone
            "--client.toolbarMode": "minimal",
            "--client.showErrorLinks": "false",
            "--theme.light.primaryColor": "#0072B2",
            "--theme.dark.primaryColor": "#56B4E9",
            "--theme.headingFontSizes": '["2.5rem", "1.6rem"]',  # title, sections: no level is left out
        }
        words = ["streamlit", "run", str(PROJECT_DIR / "dashboard" / "server.py")]
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execve(  # noqa: S606 - our own arguments, no shell
            sys.executable,
            [sys.executable, "-m", *words, *(word for option in options.items() for word in option)],
            settings.environment(),
        )


def _replaced_by(program: str, words: list[str], settings: "Settings") -> None:
    """Become a program of Dagster's, on the data folder's instance, after runs that died were closed."""
    import os
    import signal
    from datetime import UTC, datetime

    import dagster as dg

    from orchestration.runs.instance import close_dead_runs, prepare_instance, prune_runs
    from orchestration.settings import PROJECT_DIR

    home = prepare_instance(settings)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for run_id in close_dead_runs(instance):
            typer.echo(f"Run {run_id} had died; it is closed now.", err=True)
        prune_runs(instance, settings, now=datetime.now(UTC))
    executable = str(Path(sys.executable).with_name(program))
    workspace = str(PROJECT_DIR / "workspace.yaml")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # started from a script it would be ignored, and dagster never end
    os.execve(  # noqa: S606 - our own arguments, no shell
        executable,
        [executable, *words, "-h", "127.0.0.1", "-w", workspace],
        settings.environment() | {"DAGSTER_HOME": str(home)},
    )


def alert_test(data_dir: DataDirOption = None) -> None:
    """Send a test alert to every receiver in CLIENTELE_ALERTS."""
    with explained():
        from datetime import UTC, datetime

        from orchestration.automation.alerts import Alert, send, still_published

        settings = settings_of(None, data_dir)
        if settings.alerts is None:
            raise InputError("CLIENTELE_ALERTS is not set: give it one or several apprise URLs, separated by spaces.")
        now = datetime.now(UTC).isoformat()
        alert = Alert(f"test {now}", "info", "Clientele: a test", f"Alerts arrive. {still_published(settings)}")
        if not send(alert, settings):
            raise ClienteleError("The test did not reach every receiver of CLIENTELE_ALERTS; check its URLs.")
        typer.echo("Sent.")
