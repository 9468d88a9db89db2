"""What is kept of published days: segments, totals, the score ledger, drift and cut points, one Parquet file a day.

Append-only: a day's file is written once per publication and replaced only by the same day, by rename.
"""

from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from orchestration.storage import kept_files


class History:
    """Frames by subject and as-of date, each a file `<subject>/<source>/<as-of date>.parquet`."""

    def __init__(self, folder: Path, *, source: str) -> None:
        self._folder = folder
        self._source = source

    def keep(self, subject: str, as_of: date, frame: pl.DataFrame) -> None:
        """Keep one day of a subject."""
        kept_files.write_frame(self._file(subject, as_of), frame)

    def days(self, subject: str) -> list[date]:
        """The days on record, earliest first."""
        files = kept_files.parquet_files(self._folder / subject / self._source)
        return [date.fromisoformat(file.stem) for file in files]

    def read(self, subject: str, as_of: date) -> pl.DataFrame:
        """One day of a subject."""
        return pl.read_parquet(self._file(subject, as_of))

    def before(self, subject: str, as_of: date, *, is_same_day_included: bool = False) -> date | None:
        """The last day on record before `as_of`, or on it where that is asked for."""
        known = [day for day in self.days(subject) if day < as_of or (is_same_day_included and day == as_of)]
        return known[-1] if known else None

    def _file(self, subject: str, as_of: date) -> Path:
        return self._folder / subject / self._source / f"{as_of.isoformat()}.parquet"


LEDGER: Final = {"churn": "ml.churn_scores", "clv": "ml.clv_predictions"}
"""The tables whose every published batch is kept, to be graded once its horizon has passed."""
SCORES: Final = {"churn": "churn_probability", "clv": "expected_amount"}
"""What each of them scores."""
DRIFT: Final = """
    select model, horizon_days, model_version, 'score' as feature, drift as psi, ks from ml.model_drift
    where reference = 'training'
    union all
    select model, horizon_days, model_version, feature, psi, ks from ml.feature_drift
    order by all
"""
"""How far a day was from each model's training, score and features alike."""
