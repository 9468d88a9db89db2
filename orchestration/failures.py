"""What went wrong in a run, as an error that a user can act on, from the events that Dagster keeps of it.

Who is told belongs in the command line and in `alerts`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import dagster as dg

from orchestration.errors import CheckError, ClienteleError, InputError

FOR_PEOPLE: Final = {kind.__name__: kind for kind in (InputError, CheckError, ClienteleError)}

Describe = Callable[[dg.AssetCheckKey], str | None]


def error_of(events: Sequence[dg.DagsterEvent], *, describe: Describe, console: Path) -> Exception:
    """The error of a run that failed: its failed checks, or its first failed step.

    `describe` says what a check means; `console` is where a traceback of a bug can be read.
    """
    broken = [event.asset_check_evaluation_data for event in events if _is_broken_check(event)]
    if broken:
        return _failed_checks(broken, describe)
    return _failed_step([event for event in events if event.event_type_value == "STEP_FAILURE"], console)


def is_telling(event: dg.DagsterEvent) -> bool:
    """Whether an event says what went wrong."""
    return event.event_type_value == "STEP_FAILURE" or _is_broken_check(event)


def _is_broken_check(event: dg.DagsterEvent) -> bool:
    return event.event_type_value == "ASSET_CHECK_EVALUATION" and not event.asset_check_evaluation_data.passed


def _failed_checks(broken: list[dg.AssetCheckEvaluation], describe: Describe) -> CheckError:
    """Which checks failed on which table, in how many rows, and what to do."""
    lines = ["Nothing was published; what was published before stays. Failed checks:"]
    for check in broken:
        rows = check.metadata.get("dagster_dbt/failed_row_count")
        count = f", {rows.value} rows" if rows is not None else ""
        table = ".".join(check.asset_key.path)
        lines.append(f"- {check.check_name} on {table}{count}. {describe(check.asset_check_key) or ''}".rstrip())
    return CheckError("\n".join(lines))


def _failed_step(failures: list[dg.DagsterEvent], console: Path) -> Exception:
    """The first failure as something a user can act on; anything else is a bug, and says where its traceback is."""
    for event in failures:
        error: Any = event.step_failure_data.error
        while error is not None:
            if error.cls_name in FOR_PEOPLE:
                return FOR_PEOPLE[error.cls_name](error.message.partition(": ")[2].strip())
            if error.cls_name == "DagsterDbtCliRuntimeError":
                return ClienteleError(
                    f"A check or a model in dbt failed, and nothing was published. {_dbt_lines(error)}"
                )
            error = error.cause
        return RuntimeError(f"The step {event.step_key} failed unexpectedly; see {console}.")
    return RuntimeError(f"The run failed before its first step; see {console}.")


def _dbt_lines(error: Any) -> str:
    lines = [line.strip() for line in error.message.splitlines() if " FAIL " in line or " ERROR " in line]
    return " ".join(lines[:5])
