"""What a user sees while a run goes on: a live bar on a terminal, plain lines elsewhere, always on stderr."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestration.dbt import PROGRESS

if TYPE_CHECKING:
    import dagster as dg


class RunProgress:
    """Hears the events of a run and shows each finished asset, with its rows where it has some."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description:<44}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("reading the project", total=None)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def __call__(self, entry: "dg.EventLogEntry") -> None:
        """Show one event of the run's log."""
        if not entry.is_dagster_event:
            if entry.user_message.startswith(PROGRESS):
                self._bar.update(self._task, description=entry.user_message)
            return
        event = entry.get_dagster_event()
        if event.event_type_value == "ASSET_MATERIALIZATION_PLANNED":
            self._bar.update(self._task, total=(self._bar.tasks[0].total or 0) + 1)
        elif event.event_type_value == "ASSET_MATERIALIZATION":
            materialization = event.step_materialization_data.materialization
            name = ".".join(materialization.asset_key.path)
            rows = materialization.metadata.get("dagster/row_count")
            self._finished(name, f"{rows.value:>12,} rows" if rows is not None else "")
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            check = event.asset_check_evaluation_data
            if not check.passed:
                self._console.print(f"[red]failed check[/red] {check.check_name} on {check.asset_key.to_user_string()}")

    def _finished(self, name: str, rows: str) -> None:
        if self._console.is_terminal:
            self._bar.update(self._task, advance=1, description=name)
        else:
            self._console.print(f"{time.monotonic() - self._started:7.1f} s  {name:<44} {rows}", highlight=False)
