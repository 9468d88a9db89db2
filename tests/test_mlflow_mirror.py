"""A real MLflow store in a file of its own: what a training becomes there, and what happens while it is away."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from orchestration.errors import ClienteleError
from orchestration.models.mlflow_mirror import QUIET, mirror
from orchestration.storage.model_files import ModelCard
from tests.cards import card_of
from tests.commands import Finished, metadata

EVALUATIONS: list[dict[str, Any]] = [
    {"candidate": candidate, "cutoff_date": day, "metric": "auc", "value": value}
    for candidate, day, value in (
        ("logistic_regression", "2026-05-31", 0.82),
        ("logistic_regression", "2026-04-30", 0.80),
        ("recency", "2026-05-31", 0.71),
        ("recency", "2026-04-30", None),
    )
]


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> SecretStr:
    return SecretStr(f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/store.db")


@pytest.fixture(scope="module")
def client(uri: SecretStr) -> Any:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    return pytest.importorskip("mlflow.tracking").MlflowClient(uri.get_secret_value())


@pytest.fixture(scope="module")
def card(uri: SecretStr, client: Any) -> ModelCard:
    card = card_of(b"", 1, evaluations=EVALUATIONS)
    assert mirror([card], uri) == ["churn-01"]
    return card


def run_of(client: Any, experiment: str = "clientele/shop/churn-30d") -> Any:
    (run,) = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return run


def test_a_training_is_a_run_with_its_configuration_verdict_and_metrics(client: Any, card: ModelCard) -> None:
    run = run_of(client)
    assert (run.info.run_name, run.info.status) == ("churn-01", "FINISHED")
    assert run.data.params == {"horizon_days": "30"}
    assert run.data.tags["mlflow.note.content"] == "it is better"
    assert run.data.tags["clientele.status.recency"] == "rule"
    assert run.data.tags["clientele.model_sha256"] == card.model_sha256


def test_metrics_have_a_step_per_cutoff_and_leave_out_what_is_unknown(client: Any, card: ModelCard) -> None:
    run = run_of(client).info.run_id
    for candidate, expected in {"logistic_regression": [(0, 0.80), (1, 0.82)], "recency": [(1, 0.71)]}.items():
        found = client.get_metric_history(run, f"{candidate}.auc")
        assert sorted((metric.step, metric.value) for metric in found) == expected


def test_the_card_goes_along_without_its_sample_of_customers(client: Any, card: ModelCard, tmp_path: Path) -> None:
    file = client.download_artifacts(run_of(client).info.run_id, "card.json", str(tmp_path))
    text = Path(file).read_text()
    assert '"it is better"' in text
    assert card.sample["features"]
    assert "recency_days" not in text


def test_what_is_there_is_not_sent_again_and_what_was_missed_is(uri: SecretStr, client: Any, card: ModelCard) -> None:
    missed = card_of(b"", 2, horizon_days=90, evaluations=EVALUATIONS)
    assert mirror([card, missed], uri) == ["churn-02"]
    assert run_of(client).info.run_name == "churn-01"
    assert run_of(client, "clientele/shop/churn-90d").info.run_name == "churn-02"


def test_a_store_that_is_away_is_said_without_its_password() -> None:
    pytest.importorskip("mlflow.tracking")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen: nobody answers there
        port = taken.getsockname()[1]
        with pytest.raises(ClienteleError, match="not mirrored to MLflow") as caught:
            mirror([card_of(b"")], SecretStr(f"http://me:hidden@127.0.0.1:{port}"))
    assert "hidden" not in str(caught.value)


def test_a_run_mirrors_what_it_trained_and_ends_well_while_the_store_is_away(later_runs: dict[str, Finished]) -> None:
    said = {}
    for name in ("rebuilt", "again"):
        assert later_runs[name].exit_code == 0
        seen = metadata(later_runs[name].settings, later_runs[name].summary["run_id"])
        said[name] = seen["ml.model_versions"]["mlflow"]
    trained = ["churn", "clv", "feedback_en", "lookalike_loyal", "recommendations"]
    assert sorted(version.split("-")[0] for version in said["rebuilt"].split(", ")) == trained
    assert "not mirrored to MLflow" in said["again"]
