"""The command line `clientele`: options in, one function called, words and an exit code out. No logic of its own.

Progress goes to stderr, results to stdout. Heavy libraries are imported by the command that needs them.
"""

import typer

from orchestration.cli import metrics, privacy, publications, runs, service, sources
from orchestration.storage.permissions import keep_private

app = typer.Typer(
    help="Customer analytics from a company's own files to tables that BI can trust.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


@app.callback()
def _before_every_command() -> None:
    keep_private()


for command in (
    runs.run,
    sources.check,
    runs.backfill,
    runs.evaluate,
    runs.sync,
    sources.init,
    publications.freeze,
    publications.status,
    publications.query,
    publications.explain,
    metrics.metrics,
    privacy.erase,
    privacy.access,
    publications.rollback,
    service.dev,
    service.viewer,
    service.dashboard,
    service.alert_test,
):
    app.command()(command)
