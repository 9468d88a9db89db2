"""Days run one after the other, oldest first, so that each finds the history that it would have found on its day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.errors import ClienteleError, InputError
from orchestration.runs.runner import Listener, run_job
from orchestration.settings import Settings


@dataclass(frozen=True)
class BackfilledDay:
    """A day that was run, and the run that did it."""

    day: date
    run_id: str


def days_between(first: date, last: date) -> list[date]:
    """Every day from the first to the last.

    Raises:
        InputError: the last is before the first.
    """
    if last < first:
        raise InputError(f"--to {last} is before --from {first}.")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def backfill(
    settings: Settings,
    days: list[date],
    *,
    listener: Listener,
    is_done: Callable[[BackfilledDay], None],
) -> list[BackfilledDay]:
    """Run every day, and keep it in the history as back-filled; what was really published of a day stays.

    The caller holds the writer lock.

    Raises:
        ClienteleError: a day failed; those before it are kept, and the message says where to go on.
    """
    done: list[BackfilledDay] = []
    for day in days:
        config = {"source": str(settings.source), "as_of": day.isoformat(), "retrain": None, "is_backfill": True}
        outcome = run_job("refresh", settings, config=config, listener=listener)
        if outcome.error:
            kept = f"{done[0].day} to {done[-1].day} are kept" if done else "No day was kept"
            advice = f"{kept}. Once this is put right, go on with --from {day} --to {days[-1]}."
            if isinstance(outcome.error, ClienteleError):
                raise type(outcome.error)(f"{day}: {outcome.error}\n{advice}")
            raise outcome.error
        done.append(BackfilledDay(day, outcome.run_id))
        is_done(done[-1])
    return done
