"""Which model files stay, what a card says, and that no file is read that is not one of ours."""

import io
import pickle
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ml.schemas import MODEL_FAIRNESS
from orchestration.errors import ClienteleError
from orchestration.storage.model_files import ModelFiles, dump, fairness_frame, versions_frame
from tests.cards import CONFIG, DAY, GROUP, card_of

CONTENT = dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(np.eye(4), [0, 1, 0, 1]))


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    kept = ModelFiles(tmp_path)
    for number in range(1, 6):
        kept.keep(card_of(CONTENT, number), CONTENT)
    return kept


def on_disk(folder: Path) -> list[str]:
    return sorted(file.parent.name for file in folder.glob("*/model.skops"))


def test_only_the_newest_files_stay_and_every_card_does(files: ModelFiles, tmp_path: Path) -> None:
    assert files.prune(card_of(CONTENT, 5), keep=2) == ["churn-01", "churn-02", "churn-03"]
    assert on_disk(tmp_path) == ["churn-04", "churn-05"]
    cards = files.cards(source="shop", as_of=date.max)
    assert len(cards) == 5
    assert versions_frame(cards)["status"].to_list() == [*["retired"] * 4, "champion"]


def test_the_training_that_serves_stays_whatever_its_age(files: ModelFiles, tmp_path: Path) -> None:
    files.prune(card_of(CONTENT, 1), keep=2)
    assert on_disk(tmp_path) == ["churn-01", "churn-04", "churn-05"]


def test_other_models_horizons_and_sources_are_left_alone(files: ModelFiles, tmp_path: Path) -> None:
    for number, other in enumerate(({"model": "clv"}, {"horizon_days": 90}, {"source": "elsewhere"})):
        files.keep(card_of(CONTENT, model_version=f"other-{number}", as_of_date=DAY, **other), CONTENT)
    files.prune(card_of(CONTENT, 5), keep=1)
    assert on_disk(tmp_path) == ["churn-05", "other-0", "other-1", "other-2"]


def test_a_training_without_a_file_answers_no_question(files: ModelFiles) -> None:
    files.prune(card_of(CONTENT, 5), keep=1)
    asked: dict[str, Any] = {"horizon_days": 30, "source": "shop", "config": CONFIG}
    assert files.latest("churn", as_of=DAY + timedelta(days=4), **asked) is None
    newest = files.latest("churn", as_of=DAY + timedelta(days=5), **asked)
    assert newest == card_of(CONTENT, 5)
    with pytest.raises(ClienteleError, match=r"churn-01.*is missing"):
        files.load(card_of(CONTENT, 1), trusted=[])


def test_the_same_training_made_again_brings_its_file_back(files: ModelFiles) -> None:
    files.prune(card_of(CONTENT, 5), keep=1)
    files.keep(card_of(CONTENT, 1), CONTENT)
    assert files.load(card_of(CONTENT, 1), trusted=[]).predict(np.eye(4)).shape == (4,)


def test_a_card_comes_back_with_data_counts_groups_and_the_sample(files: ModelFiles) -> None:
    card = files.cards(source="shop", as_of=date.max)[0]
    assert card == card_of(CONTENT, 1)
    frame = fairness_frame([card])
    assert list(frame.columns) == list(MODEL_FAIRNESS)
    assert frame.row(0, named=True) == GROUP | {"model": "churn", "model_version": "churn-01", "horizon_days": 30}


class _Boom:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a pickle was run",)


def _with_pickle_inside() -> bytes:
    """A skops archive in which one part was replaced by a pickle."""
    source, target = zipfile.ZipFile(io.BytesIO(CONTENT)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, pickle.dumps(_Boom()) if name.endswith(".npy") else source.read(name))
    return target.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(_Boom()),
        b"",
        b"PK\x03\x04 no archive",
        b"<html>",
        CONTENT[: len(CONTENT) // 2],
        _with_pickle_inside(),
    ],
    ids=["pickle", "empty", "broken archive", "another file", "half a file", "pickle in an archive"],
)
@pytest.mark.parametrize("is_vouched_for", [False, True], ids=["its hash is unknown", "the card has its hash"])
def test_a_file_that_is_no_model_of_ours_is_refused_and_never_run(
    tmp_path: Path, content: bytes, is_vouched_for: bool
) -> None:
    kept = ModelFiles(tmp_path)
    card = card_of(content if is_vouched_for else CONTENT)
    kept.keep(card, content)
    with pytest.raises(ClienteleError, match=r"churn-01.*Remove its folder and run again"):
        kept.load(card, trusted=[])


def test_an_archive_without_a_schema_is_refused(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("1.npy", b"")
    kept = ModelFiles(tmp_path)
    kept.keep(card_of(target.getvalue()), target.getvalue())
    with pytest.raises(ClienteleError, match="churn-01"):
        kept.load(card_of(target.getvalue()), trusted=[])
