"""Versions that tell which they are, one after the other: copies of the last, swapped and pruned as runs do it."""

import shutil
import threading
from datetime import date, timedelta

import duckdb

from orchestration.publishing.generations import DATABASE, current_link, prune, swap, versions_dir
from orchestration.settings import Settings

FIRST_DAY = date(2026, 7, 1)
SECONDS_BETWEEN = 5


def publish_version(settings: Settings, number: int) -> None:
    """Publish what is published with another day and other weeks of net amount, which tell this number."""
    folder = versions_dir(settings) / f"version-{number:02}"
    aside = folder.with_name(f".{folder.name}")
    shutil.copytree(current_link(settings).resolve(), aside)
    with duckdb.connect(str(aside / DATABASE)) as connection:
        connection.execute("update marts.dim_as_of set as_of_date = ?", [FIRST_DAY + timedelta(days=number)])
        connection.execute("update reports.rpt_kpis_weekly set value = ? where metric = 'net_amount'", [number])
    aside.rename(folder)
    swap(current_link(settings), folder)
    prune(settings, but=folder)


def version_of(day: str, value: float | str) -> int | None:
    """The version that a day and a value of one answer come from; none if they come from two."""
    number = (date.fromisoformat(day[:10]) - FIRST_DAY).days
    return number if number == float(value) else None


class Publications(threading.Thread):
    """Publishes versions 1 to `count` meanwhile, some seconds between them."""

    def __init__(self, settings: Settings, count: int) -> None:
        super().__init__(daemon=True)  # ends with the tests, whatever happens to them
        self.settings, self.count, self.published = settings, count, 0
        self._pause = threading.Event()

    def run(self) -> None:
        """Publish one after the other."""
        for number in range(1, self.count + 1):
            publish_version(self.settings, number)
            self.published = number
            self._pause.wait(SECONDS_BETWEEN)
