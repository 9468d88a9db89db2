import hashlib
import pickle
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ml.churn.calibration import TRUSTED_TYPES
from orchestration.errors import ClienteleError
from orchestration.intake.source_file import load_source
from orchestration.settings import Settings
from orchestration.storage.model_files import ModelCard, ModelFiles, dump, versions_frame
from tests.cards import CONFIG, DAY, card_of


def fit(seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    features = random.normal(size=(50, 3))
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(features, features[:, 0] > 0)


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    return ModelFiles(tmp_path)


def latest(files: ModelFiles, **question: Any) -> ModelCard | None:
    asked: dict[str, Any] = {"horizon_days": 30, "source": "shop", "as_of": DAY + timedelta(days=9), "config": CONFIG}
    return files.latest("churn", **(asked | question))


def test_the_same_fit_gives_the_same_bytes_and_another_fit_others() -> None:
    assert dump(fit()) == dump(fit())
    assert dump(fit()) != dump(fit(seed=1))


def test_a_kept_model_comes_back_as_it_was(files: ModelFiles) -> None:
    content = dump(fit())
    files.keep(card_of(content), content)
    card = latest(files)
    assert card == card_of(content)
    model = files.load(card, trusted=TRUSTED_TYPES)
    probe = np.ones((1, 3))
    assert (model.predict_proba(probe) == fit().predict_proba(probe)).all()


def test_a_tampered_file_is_refused_with_a_way_out(files: ModelFiles, tmp_path: Path) -> None:
    content = dump(fit())
    files.keep(card_of(content), content)
    (tmp_path / "churn-01" / "model.skops").write_bytes(dump(fit(seed=1)))
    with pytest.raises(
        ClienteleError, match=r"churn-01.*is not the file that was kept. Remove its folder and run again"
    ):
        files.load(card_of(content), trusted=TRUSTED_TYPES)


def test_a_type_that_is_not_on_the_list_is_refused(files: ModelFiles) -> None:
    content = dump(RandomForestClassifier(n_estimators=1).fit(np.eye(4), [0, 1, 0, 1]))
    files.keep(card_of(content), content)
    with pytest.raises(ClienteleError, match=r"churn-01.*[Uu]ntrusted"):
        files.load(card_of(content), trusted=TRUSTED_TYPES)


class _Boom:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a pickle was run",)


def test_a_pickle_is_refused_without_being_run(files: ModelFiles) -> None:
    content = pickle.dumps(_Boom())
    files.keep(card_of(content), content)
    with pytest.raises(ClienteleError, match="churn-01"):
        files.load(card_of(content), trusted=TRUSTED_TYPES)


def test_a_model_whose_file_is_missing_is_not_on_file(files: ModelFiles, tmp_path: Path) -> None:
    content = dump(fit())
    files.keep(card_of(content), content)
    (tmp_path / "churn-01" / "model.skops").unlink()
    assert latest(files) is None
    with pytest.raises(ClienteleError, match=r"is missing\. Remove its folder and run again"):
        files.load(card_of(content), trusted=TRUSTED_TYPES)


def test_only_a_training_for_the_same_question_up_to_the_day_answers(files: ModelFiles) -> None:
    content = dump(fit())
    days = {"churn-01": date(2026, 6, 1), "churn-02": date(2026, 6, 20), "churn-03": date(2026, 7, 1)}
    for version, day in days.items():
        files.keep(card_of(content, model_version=version, as_of_date=day), content)
    assert latest(files, as_of=DAY).model_version == "churn-02"  # type: ignore[union-attr]
    assert latest(files, as_of=date(2026, 6, 10)).model_version == "churn-01"  # type: ignore[union-attr]
    for other in ({"horizon_days": 90}, {"source": "b"}, {"config": {}}, {"as_of": date(2026, 5, 31)}):
        assert latest(files, **other) is None


def test_the_same_training_twice_is_kept_once(files: ModelFiles, tmp_path: Path) -> None:
    content = dump(fit())
    files.keep(card_of(content), content)
    files.keep(replace(card_of(content), reason="again"), content)
    assert [card.reason for card in files.cards(source="shop", as_of=date.max)] == ["it is better"]
    assert [folder.name for folder in tmp_path.iterdir()] == ["churn-01"]


def test_of_several_trainings_only_the_newest_serves_and_the_others_are_retired() -> None:
    old, new = card_of(b"", 1), card_of(b"", 2)
    found = versions_frame([old, new]).select("model_version", "candidate", "status").rows()
    assert found == [("churn-01", "logistic_regression", "retired"), ("churn-02", "logistic_regression", "champion")]


def test_the_models_of_a_run_are_files_that_load_with_the_shipped_lists(settings: Settings) -> None:
    from ml.campaigns.lookalikes import TRUSTED_TYPES as LOOKALIKE_TYPES
    from ml.clv.leveling import TRUSTED_TYPES as CLV_TYPES
    from ml.feedback.sentiment import TRUSTED_TYPES as FEEDBACK_TYPES
    from ml.recommendations.scoring import TRUSTED_TYPES as RECOMMENDATION_TYPES

    shipped = {
        "churn": TRUSTED_TYPES,
        "clv": CLV_TYPES,
        "feedback_en": FEEDBACK_TYPES,
        "lookalike_loyal": LOOKALIKE_TYPES,
        "recommendations": RECOMMENDATION_TYPES,
    }
    files = ModelFiles(settings.history_dir / "models")
    cards = files.cards(source=load_source(settings.source).name, as_of=date(2026, 6, 30))
    assert sorted(card.model for card in cards) == sorted(shipped)
    for card in cards:
        model = files.load(card, trusted=shipped[card.model])
        assert hashlib.sha256(dump(model)).hexdigest() == card.model_sha256
