"""What went wrong in a run, as an error that a user can act on, from the events that Dagster keeps of it.

Who is told belongs in the command line and in `alerts`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import dagster as dg

from orchestration.errors import (
    CheckError,
    ClienteleError,
    DamagedError,
    DeliveryError,
    InputError,
    InterruptedRunError,
)
from orchestration.runs import preflight
from orchestration.settings import Settings

FOR_PEOPLE: Final = {kind.__name__: kind for kind in (InputError, CheckError, ClienteleError, DeliveryError)}
FULL_DISK: Final = re.compile("No space left on device|disk is full|Could not write all bytes")
BROKEN_FILE: Final = re.compile("orrupt|checksum|not a valid DuckDB|Serialization Error|INTERNAL Error|invalidated")
FAILURES: Final = ("STEP_FAILURE", "PIPELINE_FAILURE")  # the latter for what failed before any step, such as a resource

Describe = Callable[[dg.AssetCheckKey], str | None]


def error_of(events: Sequence[dg.DagsterEvent], *, describe: Describe, settings: Settings) -> Exception:
    """The error of a run that failed: its failed checks, or its first failure; `describe` says what a check means."""
    broken = [event.asset_check_evaluation_data for event in events if _is_broken_check(event)]
    if broken:
        return _failed_checks(broken, describe)
    failures = [event for event in events if event.event_type_value in FAILURES]
    for failure, error in ((event, error) for event in failures for error in _causes(event)):
        if known := _known(error, settings, is_first=failure is failures[0]):
            return known
    if failures and not any(True for event in failures for _ in _causes(event)):
        return RuntimeError(
            "The run ended with its process: killed, or gone with the machine. Nothing of it was published."
        )
    step = f"The step {failures[0].step_key}" if failures and failures[0].step_key else "The run"
    return RuntimeError(f"{step} failed unexpectedly; see {settings.dagster_home / 'console.log'}.")


def is_of_full_disk(message: str, settings: Settings) -> bool:
    """Whether a message is that of a full disk; SQLite tells of one as of any trouble with a file."""
    return bool(FULL_DISK.search(message)) or ("disk I/O error" in message and preflight.is_full(settings))


def is_telling(event: dg.DagsterEvent) -> bool:
    """Whether an event says what went wrong."""
    return event.event_type_value in FAILURES or _is_broken_check(event)


def _is_broken_check(event: dg.DagsterEvent) -> bool:
    if event.event_type_value != "ASSET_CHECK_EVALUATION":
        return False
    found = event.asset_check_evaluation_data
    return not found.passed and found.severity == dg.AssetCheckSeverity.ERROR


def _failed_checks(broken: list[dg.AssetCheckEvaluation], describe: Describe) -> CheckError:
    """Which checks failed on which table, in how many rows, and what to do."""
    lines = ["Nothing was published; what was published before stays. Failed checks:"]
    for check in broken:
        rows = check.metadata.get("dagster_dbt/failed_row_count")
        count = f", {rows.value} rows" if rows is not None else ""
        table = ".".join(check.asset_key.path)
        lines.append(f"- {check.check_name} on {table}{count}. {describe(check.asset_check_key) or ''}".rstrip())
    return CheckError("\n".join(lines))


def _causes(event: dg.DagsterEvent) -> Iterator[Any]:
    """What failed, and what it came from."""
    error: Any = getattr(event.event_specific_data, "error", None)  # none where the process died
    while error is not None:
        yield error
        error = error.cause


def _known(error: Any, settings: Settings, *, is_first: bool) -> Exception | None:
    """A failure as something a user can act on; none of what is a bug, or of dbt missing what failed before."""
    if error.cls_name == "DagsterExecutionInterruptedError":
        return InterruptedRunError(
            "Interrupted. What was published before stays, and nothing kept is lost; run again when you like."
        )
    if is_of_full_disk(error.message, settings):
        return preflight.full(settings)
    if error.cls_name in FOR_PEOPLE:
        return FOR_PEOPLE[error.cls_name](error.message.partition(": ")[2].strip())
    if BROKEN_FILE.search(error.message):
        return DamagedError(
            f"{settings.warehouse_file} is damaged. It holds nothing that is not kept elsewhere: run again to build it "
            "anew. What was published before stays."
        )
    if error.cls_name == "DagsterDbtCliRuntimeError" and is_first:
        return ClienteleError(f"A check or a model in dbt failed, and nothing was published. {_dbt_lines(error)}")
    return None


def _dbt_lines(error: Any) -> str:
    lines = [line.strip() for line in error.message.splitlines() if " FAIL " in line or " ERROR " in line]
    return " ".join(lines[:5])
