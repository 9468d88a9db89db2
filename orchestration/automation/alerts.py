"""Alerts: what failed or grew old, in words for whoever looks after the pipeline, sent once to where the settings say.

When one is due belongs in the command line and in `sensors`. An alert that cannot be sent is a warning and no failure.
"""

import json
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Final, Literal, Self

from orchestration.automation.freshness import Age, ages
from orchestration.errors import BusyError, CheckError, ClienteleError, InputError
from orchestration.intake.source_file import Source
from orchestration.publishing.generations import DATABASE, read_manifest
from orchestration.settings import Settings
from orchestration.warehouse import reader, records

LOG = logging.getLogger(__name__)
PAUSES: Final = (2.0, 8.0)  # seconds before the second and the third attempt
REMEMBERED = 500  # alerts that are known to have been sent

Kind = Literal["info", "warning", "failure"]


@dataclass(frozen=True)
class Alert:
    """One message; what has the same `key` is sent once."""

    key: str
    kind: Kind
    title: str
    text: str


def of_failure(error: BaseException, settings: Settings, *, run_id: str | None, day: str | None) -> Alert:
    """What failed, for which day, what is still published, and what to do."""
    if isinstance(error, CheckError):
        title, advice = "publication blocked", "Look at the rows that the checks name; correct the files, or raise the "
        advice += "limit in the source file if the change is real. Then run again."
    elif isinstance(error, InputError):
        title, advice = "run failed", "Correct what is named, then run again."
    elif isinstance(error, ClienteleError):
        title, advice = "run failed", "See `clientele status`, then run again."
    else:
        title, advice = "run failed", "This is a bug or the machine's doing: look at the log that is named, or at the "
        advice += "run in the Dagster UI; then run again."
    said = str(error) if isinstance(error, ClienteleError | RuntimeError) else type(error).__name__
    lines = [said, f"Day: {day or 'the last complete one'}. Run: {run_id or 'ended before it began'}."]
    key = f"failure {run_id or datetime.now(UTC).isoformat(timespec='minutes')}"
    return Alert(key, "failure", _titled(title, settings), "\n".join([*lines, still_published(settings), advice]))


def of_model_warnings(settings: Settings) -> list[Alert]:
    """One alert per model version and kind of warning, again in every week in which it lasts."""
    folder = settings.published_dir / "current"
    if not (folder / DATABASE).is_file():
        return []
    with reader(folder / DATABASE) as connection:
        rows = records(connection, "from ml.model_warnings order by model, horizon_days, kind, warning")
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        week = "-".join(map(str, row["as_of_date"].isocalendar()[:2]))
        found.setdefault(f"warning {row['model_version']} {row['kind']} {week}", []).append(row)
    advice = "Scores are published all the same. See reports.rpt_model_health; `clientele run --retrain` trains anew."
    return [
        Alert(
            key,
            "warning",
            _titled(f"{same[0]['model']} {same[0]['kind']}", settings),
            "\n".join([f"As of {same[0]['as_of_date']}:", *(row["warning"] for row in same), advice]),
        )
        for key, same in found.items()
    ]


def of_ages(found: Iterable[Age], settings: Settings) -> list[Alert]:
    """One alert per publication that grew old, and per level."""
    advice = "See `clientele status` for the last run; `clientele run` publishes anew, new files provided."
    return [
        Alert(
            f"{age.about} {age.level} {age.run_id}",
            "warning" if age.level == "warning" else "failure",
            _titled("stale data" if age.level == "stale" else "data is growing old", settings),
            "\n".join([age.sentence, still_published(settings), advice]),
        )
        for age in found
    ]


def still_published(settings: Settings) -> str:
    """What BI reads at this moment, in a sentence."""
    manifest = read_manifest(settings.published_dir / "current")
    if manifest is None:
        return "Nothing is published yet."
    return f"Still published: {manifest['source']} as of {manifest['as_of_date']}, made {manifest['published_at']}."


def send(alert: Alert, settings: Settings) -> bool:
    """Send an alert unless it was sent before; returns whether it now reached every receiver."""
    if settings.alerts is None or alert.key in _sent(settings):
        return False
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it names receivers, and those hold secrets
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    asset = apprise.AppriseAsset(app_id="Clientele", app_desc="Clientele", app_url="", async_mode=False)
    receivers = apprise.Apprise(asset=asset)
    is_understood = receivers.add(settings.alerts.get_secret_value())
    each = [apprise.Apprise(receiver, asset=asset) for receiver in receivers]  # a second attempt is for one alone
    lost = [number for number, receiver in enumerate(each, 1) if not _notify(receiver, alert, settings)]
    if len(lost) < len(each):
        _remember(alert.key, settings)
    if lost or not is_understood:
        LOG.warning(
            "The alert '%s' did not reach %s. Try `clientele alert-test`.",
            alert.title,
            f"receiver {', '.join(map(str, lost))} of CLIENTELE_ALERTS"
            if lost
            else "every URL of CLIENTELE_ALERTS: one is not known to apprise",
        )
    return not lost and is_understood


def _notify(receiver: Any, alert: Alert, settings: Settings) -> bool:
    """Three attempts; apprise itself waits four seconds at most for a receiver."""
    for pause in (0.0, *PAUSES):
        time.sleep(pause)
        if receiver.notify(
            title=_masked(alert.title, settings), body=_masked(alert.text, settings), notify_type=alert.kind
        ):
            return True
    return False


class Told:
    """Sends what ends the block: for the command line, where nobody may be looking. Another run at work is no news."""

    def __init__(self, settings: Settings, *, day: date | str | None) -> None:
        self._settings = settings
        self._day = str(day) if day else None
        self.run_id: str | None = None

    def of_success(self, source: Source) -> None:
        """Send what a run that published still warns of."""
        if self._settings.alerts is not None:
            found = ages(self._settings, source, now=datetime.now(UTC))
            for alert in [*of_model_warnings(self._settings), *of_ages(found, self._settings)]:
                send(alert, self._settings)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send an error on its way up; it goes on."""
        if isinstance(error, Exception) and not isinstance(error, BusyError):
            send(of_failure(error, self._settings, run_id=self.run_id, day=self._day), self._settings)


def _titled(what: str, settings: Settings) -> str:
    return f"Clientele {settings.source.stem}: {what}"


def _masked(text: str, settings: Settings) -> str:
    for secret in settings.secrets():
        text = text.replace(secret, "***")
    return text


def _sent(settings: Settings) -> list[str]:
    file = settings.data_dir / "alerts.json"
    with suppress(OSError, json.JSONDecodeError):  # lost or half written: an alert too many is better than one too few
        known: list[str] = json.loads(file.read_text(encoding="utf-8"))
        return known
    return []


def _remember(key: str, settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = settings.data_dir / "alerts.json"
    aside = file.with_name(".alerts.json")
    aside.write_text(json.dumps([*_sent(settings), key][-REMEMBERED:], indent=1), encoding="utf-8")
    aside.replace(file)
