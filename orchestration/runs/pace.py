"""How far a run has come and how long is left, told by when the last run of the same job had come as far.

An estimate for whoever waits, and nothing that a table depends on: a lost or broken file only means that no time is
told.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

FILE: Final = "pace.json"
"""In the data folder: per job the seconds at which each mark was passed in the last run that ended well."""
FASTEST, SLOWEST = 0.2, 5.0
"""How much quicker or slower than the last a run may seem; beyond, its first marks tell of something else."""
FEW_SECONDS: Final = 5.0
"""Before so much has passed the last run's own pace is assumed."""


class Pace:
    """Marks passed by one run; a mark is whatever a run tells when it is done, such as the name of a table."""

    def __init__(self, data_dir: Path, job: str) -> None:
        self._file, self._job = data_dir / FILE, job
        self._before = _read(self._file).get(job, {})
        self._passed: dict[str, float] = {}
        self._reached = 0.0

    def passed(self, mark: str, *, at: float) -> None:
        """Note that a mark was passed, `at` seconds after the begin of the run."""
        self._passed[mark] = round(at, 1)
        self._reached = max(self._reached, self._before.get(mark, 0.0))

    def left(self, *, at: float) -> float | None:
        """Seconds until the end, as seen `at` seconds after the begin; none where no run was as far as this one.

        What the last run still had ahead from the furthest mark on, in this run's own pace so far.
        """
        if not self._before:
            return None
        ahead = max(self._before.values()) - self._reached
        last = max(self._passed.values(), default=0.0)
        pace = last / self._reached if self._reached >= FEW_SECONDS else 1.0
        return max(0.0, ahead * min(SLOWEST, max(FASTEST, pace)) - (at - last))

    def keep(self) -> None:
        """Keep this run's marks for the next one."""
        known = _read(self._file) | {self._job: self._passed}
        with suppress(OSError):  # a full disk is the run's to tell
            aside = self._file.with_name(f".{self._file.name}")
            aside.write_text(json.dumps(known))
            aside.replace(self._file)


def _read(file: Path) -> dict[str, dict[str, float]]:
    try:
        found = json.loads(file.read_bytes())
        return {job: {mark: float(at) for mark, at in marks.items()} for job, marks in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
