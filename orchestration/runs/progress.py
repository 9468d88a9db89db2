"""What a user sees while a run goes on: a live bar on a terminal, plain lines elsewhere, always on stderr.

Each finished table is told with its rows, each stage with how long is left; how that is known belongs in `pace`.
"""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

from orchestration.dbt.events import PROGRESS
from orchestration.runs.pace import Pace

if TYPE_CHECKING:
    import dagster as dg

STAGES: Final = {
    "landing": "fetching",
    "raw": "receiving files",
    "dbt_marts": "building marts",
    "ml": "training and scoring",
    "dbt_reports": "building reports",
    "published": "publishing",
}
"""What a run does, in order, by how the names of its steps begin; any other step belongs to the stage before it."""


class RunProgress:
    """Hears the events of a run and shows each finished asset, with its rows where it has some.

    With a `pace` it says how long is left, and keeps the times of a run that ended well for the next one.
    """

    def __init__(self, console: Console, *, pace: Pace | None = None) -> None:
        self._console, self._pace = console, pace
        self._started = time.monotonic()
        self._stage = ""
        self._is_whole = True
        self._bar = Progress(
            TextColumn("[bold cyan]{task.fields[stage]}"),
            TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[left]}"),
            console=console,
            transient=True,
            expand=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("reading the project", total=None, stage="", left="")

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
                self._passed(entry.user_message)
                self._bar.update(self._task, description=entry.user_message)
            return
        event = entry.get_dagster_event()
        kind = event.event_type_value
        if kind == "ASSET_MATERIALIZATION_PLANNED":
            self._bar.update(self._task, total=(self._bar.tasks[0].total or 0) + 1)
        elif kind == "STEP_START":
            self._begun(event.step_key or "")
        elif kind == "ASSET_MATERIALIZATION":
            materialization = event.step_materialization_data.materialization
            rows = materialization.metadata.get("dagster/row_count")
            self._finished(".".join(materialization.asset_key.path), rows.value if rows is not None else None)
        elif kind == "ASSET_CHECK_EVALUATION" and not event.asset_check_evaluation_data.passed:
            check = event.asset_check_evaluation_data
            told = escape(f"{check.check_name} on {'.'.join(check.asset_key.path)}")
            self._console.print(f"[red]failed check[/red] {told}", highlight=False)
        elif kind == "STEP_SKIPPED":
            self._is_whole = False
        elif kind == "PIPELINE_SUCCESS" and self._pace and self._is_whole:
            self._pace.keep()

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _passed(self, mark: str) -> None:
        if self._pace:
            self._pace.passed(mark, at=self._seconds)
            self._bar.update(self._task, left=self._left())

    def _left(self) -> str:
        """How long is left, in words; nothing where that cannot be told."""
        seconds = self._pace.left(at=self._seconds) if self._pace else None
        if seconds is None:
            return ""
        return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"

    def _begun(self, step: str) -> None:
        """Say which stage begins, when it does."""
        stage = next((name for start, name in STAGES.items() if step.startswith(start)), self._stage)
        if stage == self._stage:
            return
        self._stage = stage
        self._bar.update(self._task, stage=stage, left=self._left())
        if not self._console.is_terminal:
            self._line(f"{stage}{f', {left}' if (left := self._left()) else ''}")

    def _finished(self, name: str, rows: object) -> None:
        self._passed(name)
        told = f"{rows:>12,} rows" if rows is not None else ""
        if self._console.is_terminal:
            self._bar.update(self._task, advance=1, description=f"{name} {told.strip()}")
        else:
            self._line(f"{name:<44} {told}")

    def _line(self, text: str) -> None:
        self._console.print(f"{self._seconds:7.1f} s  {text}", highlight=False, markup=False)
