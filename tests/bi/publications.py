"""Versions whose tables tell which version they are, published one after the other by the pipeline's own code."""

import threading
from datetime import date, timedelta

from orchestration.publish import publish
from orchestration.settings import Settings
from tests.runs import run_on

FIRST_DAY = date(2026, 7, 1)


def publish_version(settings: Settings, number: int) -> None:
    """Publish every table, the day and the weeks of net amount changed to tell this number."""
    run = run_on(settings, run_id=f"version-{number:02}")
    with run.warehouse.connect() as connection:
        connection.execute("update marts.dim_as_of set as_of_date = ?", [FIRST_DAY + timedelta(days=number)])
        connection.execute("update reports.rpt_kpis_weekly set value = ? where metric = 'net_amount'", [number])
    publish(run, as_of=FIRST_DAY + timedelta(days=number), comments={})


def version_of(day: str, value: float | str) -> int | None:
    """The version that a day and a value of one answer come from; none if they come from two."""
    number = (date.fromisoformat(day[:10]) - FIRST_DAY).days
    return number if number == float(value) else None


class Publications(threading.Thread):
    """Publishes versions 1 to `count` meanwhile."""

    def __init__(self, settings: Settings, count: int) -> None:
        super().__init__(daemon=True)  # ends with the tests, whatever happens to them
        self.settings, self.count, self.published = settings, count, 0

    def run(self) -> None:
        """Publish one after the other."""
        for number in range(1, self.count + 1):
            publish_version(self.settings, number)
            self.published = number
