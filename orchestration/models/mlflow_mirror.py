"""Mirrors kept trainings to an MLflow tracking store, a run each, for teams that look at all their models there.

The cards and files below `data/history/models` stay the truth: nothing is read back, and what the store missed while
it was away is sent by the next run. Needs the extra `mlflow` (`make mlflow`).
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from orchestration.errors import ClienteleError
from orchestration.storage.model_files import ModelCard

VERSION: Final = "clientele.model_version"
BATCH: Final = 1000  # metrics in one request, MLflow's own limit
QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing leaves the machine but what is mirrored
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # with MLflow's own a run waits for minutes on a store that is away
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "SPARK_HOME": sys.prefix,  # MLflow looks for a Spark session, and PySpark's client without a home ends the program
}
FAILED: Final = "Trainings were kept here but not mirrored to MLflow"


def mirror(cards: Sequence[ModelCard], uri: SecretStr) -> list[str]:
    """Send the trainings that the store does not have; gives their versions.

    Experiments are `clientele/<source>/<model>-<horizon>d`. A run has the configuration as parameters, every metric of
    every candidate as `<candidate>.<metric>` with one step per tested cut-off (0 the earliest), the verdict as tags
    and the card without its sample of features as `card.json`.

    Raises:
        ClienteleError: the extra is not installed, or the store did not answer; the text never has the URI in it.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError:
        raise ClienteleError(f"{FAILED}: install the extra with `make mlflow`.") from None
    secret = uri.get_secret_value()
    try:
        client = MlflowClient(secret)
        return [card.model_version for card in cards if _send(client, secret, card)]
    except MlflowException as error:
        raise ClienteleError(f"{FAILED}: {str(error).replace(secret, 'the store')}") from None


def _send(client: Any, uri: str, card: ModelCard) -> bool:
    name = f"clientele/{card.source}/{card.model}-{card.horizon_days}d"
    experiment = client.get_experiment_by_name(name)
    number = experiment.experiment_id if experiment else client.create_experiment(name, _artifacts(uri))
    finished = f"tags.`{VERSION}` = '{card.model_version}' and attributes.status = 'FINISHED'"
    if client.search_runs([number], finished, max_results=1):
        return False
    started = int(card.trained_at.replace(tzinfo=UTC).timestamp() * 1000)
    run = client.create_run(number, start_time=started, tags=_tags(card), run_name=card.model_version).info.run_id
    for key, value in card.config.items():
        client.log_param(run, key, value if isinstance(value, str) else json.dumps(value, sort_keys=True))
    metrics = list(_metrics(card, started))
    for first in range(0, len(metrics), BATCH):
        client.log_batch(run, metrics=metrics[first : first + BATCH])
    client.log_text(run, json.dumps(vars(card) | {"sample": {}}, default=str, indent=1), "card.json")
    client.set_terminated(run, end_time=started)
    return True


def _tags(card: ModelCard) -> dict[str, str]:
    named = ("source", "served_by", "candidate", "model_sha256")
    return {
        VERSION: card.model_version,
        "clientele.as_of_date": card.as_of_date.isoformat(),
        **{f"clientele.{name}": getattr(card, name) for name in named},
        **{f"clientele.status.{candidate}": status for candidate, status in card.statuses.items()},
        "mlflow.note.content": card.reason,
    }


def _metrics(card: ModelCard, timestamp: int) -> Iterator[Any]:
    from mlflow.entities import Metric

    cutoffs = sorted({_day(row) for row in card.evaluations})
    for row in card.evaluations:
        if row["value"] is not None:
            yield Metric(f"{row['candidate']}.{row['metric']}", row["value"], timestamp, cutoffs.index(_day(row)))


def _day(evaluation: dict[str, Any]) -> date:
    return date.fromisoformat(str(evaluation["cutoff_date"]))


def _artifacts(uri: str) -> str | None:
    """Where a store that is a file keeps its artifacts: beside it, not in whatever folder the run was started from."""
    kind, _, file = uri.partition(":///")
    return (Path("/" + file.lstrip("/")).parent / "artifacts").as_uri() if kind == "sqlite" else None
