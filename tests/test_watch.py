"""The watch over a model that serves: too old, moved, wrong, unlike for some; and what of a day goes on record."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ml.experiment_schemas import EXPERIMENT_ASSIGNMENTS
from ml.outcomes import grade
from ml.schemas import (
    CHURN_SCORES,
    CLV_PREDICTIONS,
    FEATURE_DRIFT,
    MODEL_DRIFT,
    SCORE_OUTCOMES,
    Schema,
    empty,
)
from ml.segment_schemas import CUSTOMER_SEGMENTS
from orchestration.activation.feed import CHANGES
from orchestration.assets.publish import keep_day
from orchestration.models import training, watch
from orchestration.models.evidence import declared_groups
from orchestration.runs.run import Run
from orchestration.storage.history import History
from orchestration.ui.plots import outcomes
from tests.cards import DAY, card_of
from tests.runs import shop_run
from tests.shop import SOURCE

CARD = card_of(b"", as_of_date=DAY - timedelta(days=5))
NAMED = {"model": "churn", "horizon_days": 30, "model_version": CARD.model_version}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return a_run(tmp_path, "")


def a_run(folder: Path, models: str) -> Run:
    """A run of the shop at DAY whose tables are empty; `models` are further lines of its configuration."""
    run = shop_run(folder, source=SOURCE.replace("models:\n", f"models:\n{models}"))
    run.warehouse.write("marts.dim_as_of", pl.DataFrame({"as_of_date": [DAY], "is_backfilled": [False]}))
    run.warehouse.write("quality.reconciliation", pl.DataFrame({"entity": ["products"], "measure": ["rows"]}))
    for name, schema in {
        "activation.changes": CHANGES,
        "ml.customer_segments": CUSTOMER_SEGMENTS,
        "ml.churn_scores": CHURN_SCORES,
        "ml.clv_predictions": CLV_PREDICTIONS,
        "ml.model_drift": MODEL_DRIFT,
        "ml.feature_drift": FEATURE_DRIFT,
        "ml.score_outcomes": SCORE_OUTCOMES,
        "ml.experiment_assignments": EXPERIMENT_ASSIGNMENTS,
    }.items():
        run.warehouse.write(name, empty(schema))
    return run


def history(run: Run) -> History:
    return History(run.settings.history_dir, source=run.source.name)


def rows(schema: Schema, *given: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(schema) | one for one in given], schema=schema)


def drifts(**psi: float) -> pl.DataFrame:
    kinds = {"feature": pl.String, "psi": pl.Float64}
    frame = pl.DataFrame([*psi.items()], schema=kinds, orient="row")
    return frame.with_columns(model_version=pl.lit(CARD.model_version))


def published(run: Run, **days: pl.DataFrame) -> None:
    for back, frame in days.items():
        history(run).keep("drift", DAY - timedelta(days=int(back[1:])), frame)


def test_what_has_moved_since_the_version_first_served_is_drift(run: Run) -> None:
    published(run, d5=drifts(score=0.1, recency_days=0.1), d1=drifts(score=0.3, recency_days=0.2))
    assert watch.drifted(run, CARD, as_of=DAY) == ["score"]


def test_what_was_far_from_training_on_the_first_day_no_other_training_cures(run: Run) -> None:
    published(run, d5=drifts(recency_days=0.4), d1=drifts(recency_days=0.5))
    assert watch.drifted(run, CARD, as_of=DAY) == []


def test_a_day_run_again_does_not_look_at_itself_and_other_versions_do_not_count(run: Run) -> None:
    published(run, d5=drifts(score=0.1), d0=drifts(score=0.9))
    assert watch.drifted(run, CARD, as_of=DAY) == []
    assert watch.drifted(run, CARD, as_of=DAY + timedelta(days=1)) == ["score"]
    assert watch.drifted(run, replace(CARD, model_version="another"), as_of=DAY + timedelta(days=1)) == []
    assert watch.drifted(run, replace(CARD, as_of_date=DAY), as_of=DAY) == []


def test_drift_makes_training_due_only_where_the_source_file_says_so(tmp_path: Path) -> None:
    for folder, models, is_due in (("no", "", False), ("yes", "  retrain_on_drift: true\n", True)):
        (tmp_path / folder).mkdir()
        run = a_run(tmp_path / folder, models)
        published(run, d5=drifts(score=0.1), d1=drifts(score=0.3))
        assert training.is_due(run, CARD, as_of=DAY) is is_due
        assert not training.is_due(replace(run, retrain=False), CARD, as_of=DAY)
        assert training.is_due(replace(run, retrain=True), CARD, as_of=DAY)


@pytest.mark.parametrize(("age", "is_stale"), [(90, False), (91, True)])
def test_a_model_is_stale_when_it_is_older_than_the_limit(run: Run, age: int, is_stale: bool) -> None:
    card = replace(CARD, as_of_date=DAY - timedelta(days=age), warnings=[])
    assert watch.is_stale(run, card) is is_stale
    assert [kind for kind, _ in watch.warnings(run, card)] == ["stale"] * is_stale


def test_everything_that_is_wrong_becomes_a_sentence(run: Run) -> None:
    scored, earlier = DAY - timedelta(days=30), DAY - timedelta(days=60)
    run.warehouse.write(
        "ml.model_drift",
        rows(MODEL_DRIFT, NAMED | {"reference": "training", "reference_date": scored, "drift": 0.3}),
    )
    run.warehouse.write(
        "ml.feature_drift",
        rows(FEATURE_DRIFT, *(NAMED | {"feature": f"f{n}", "psi": 0.2 + n / 10} for n in range(7))),
    )
    level = NAMED | {"metric": "calibration_in_the_large", "is_backfilled": False}
    run.warehouse.write(
        "ml.score_outcomes",
        rows(
            SCORE_OUTCOMES,
            level | {"scored_as_of_date": earlier, "matured_date": scored, "value": 0.0},
            level | {"scored_as_of_date": scored, "matured_date": DAY, "value": -0.25},
            level | {"scored_as_of_date": scored, "matured_date": DAY, "value": 0.0, "is_backfilled": True},
        ),
    )
    assert [*watch.warnings(run, CARD)] == [
        ("fairness", "churn by gender: it differs."),
        ("drift", "churn: scores are far from those of 2026-05-31 (training): PSI 0.30."),
        (
            "drift",
            (
                "churn: features are far from those of training, by PSI: "
                "f6 (0.80), f5 (0.70), f4 (0.60), f3 (0.50), f2 (0.40) and 1 more."
            ),
        ),
        ("calibration", "churn: scores of 2026-05-31 were too low: calibration in the large -0.250."),
    ]


def scores(probability: float) -> pl.DataFrame:
    return rows(CHURN_SCORES, NAMED | {"as_of_date": DAY, "customer_id": "a", "churn_probability": probability})


def day_is(run: Run, *, is_backfilled: bool) -> None:
    run.warehouse.write("marts.dim_as_of", pl.DataFrame({"as_of_date": [DAY], "is_backfilled": [is_backfilled]}))


def test_scores_go_on_record_with_whether_they_were_back_filled(run: Run) -> None:
    run.warehouse.write("ml.churn_scores", scores(0.2))
    day_is(run, is_backfilled=True)
    keep_day(run)
    assert history(run).read("scores/churn", DAY)["is_backfilled"].to_list() == [True]
    run.warehouse.write("ml.churn_scores", scores(0.4))
    day_is(run, is_backfilled=False)
    keep_day(run)
    kept = history(run).read("scores/churn", DAY)
    assert kept.select("churn_probability", "is_backfilled").rows() == [(0.4, False)]


def test_what_was_published_at_the_time_is_never_replaced_by_what_was_back_filled(run: Run) -> None:
    run.warehouse.write("ml.churn_scores", scores(0.4))
    keep_day(run)
    run.warehouse.write("ml.churn_scores", scores(0.2))
    day_is(run, is_backfilled=True)
    keep_day(run)
    kept = history(run).read("scores/churn", DAY)
    assert kept.select("churn_probability", "is_backfilled").rows() == [(0.4, False)]


def test_a_back_filled_batch_is_graded_as_such_and_one_of_an_older_ledger_is_not() -> None:
    happened = pl.DataFrame(
        {"customer_id": ["a"], "is_churned": [True], "future_purchase_count": [0], "future_amount": [0.0]}
    )
    batch = scores(0.4)
    for told, marked in ((False, batch), (True, batch.with_columns(is_backfilled=True))):
        graded = grade("churn", marked, happened, horizon_days=30)
        assert set(graded["is_backfilled"]) == {told}
    level = graded.filter(pl.col("metric") == "calibration_in_the_large")["value"].item()
    assert level == pytest.approx(-0.6)


def test_drift_from_training_is_kept_of_every_day_and_from_a_first_batch_is_not(run: Run) -> None:
    day = NAMED | {"as_of_date": DAY}
    run.warehouse.write(
        "ml.model_drift",
        rows(
            MODEL_DRIFT,
            day | {"reference": "training", "drift": 0.3},
            day | {"model": "clv", "reference": "first_batch", "drift": 0.4},
        ),
    )
    run.warehouse.write("ml.feature_drift", rows(FEATURE_DRIFT, day | {"feature": "recency_days", "psi": 0.1}))
    keep_day(run)
    kept = history(run).read("drift", DAY).select("model", "feature", "psi").rows()
    assert sorted(kept) == [("churn", "recency_days", 0.1), ("churn", "score", 0.3)]


def customers(run: Run, **columns: list[Any]) -> None:
    nothing: dict[str, list[Any]] = {
        "age_band": [None, None], "gender": [None, None], "region": [None, None],
        "birth_date": [None, None],
    }  # fmt: skip
    frame = pl.DataFrame({"customer_id": ["a", "b"]} | nothing | columns)
    texts = pl.col("age_band", "gender", "region").cast(pl.String)
    run.warehouse.write("marts.dim_customers", frame.with_columns(texts, pl.col("birth_date").cast(pl.Date)))


def test_only_attributes_with_values_are_groups(run: Run) -> None:
    customers(run, region=["north", None])
    assert declared_groups(run, as_of=DAY).to_dict(as_series=False) == {
        "customer_id": ["a", "b"],
        "region": ["north", None],
    }


def test_without_a_declared_age_band_the_date_of_birth_makes_one(run: Run) -> None:
    customers(run, birth_date=[date(1996, 6, 30), date(1996, 7, 1)])
    assert declared_groups(run, as_of=DAY)["age_band"].to_list() == ["30 to 39", "20 to 29"]
    customers(run, birth_date=[date(1996, 6, 30), date(1800, 7, 1)], age_band=[None, "old"])
    assert declared_groups(run, as_of=DAY)["age_band"].to_list() == [None, "old"]
    customers(run, birth_date=[date(1800, 6, 30), date(2027, 7, 1)])
    assert "age_band" not in declared_groups(run, as_of=DAY).columns


def test_grades_over_time_are_drawn_with_a_title_units_and_a_legend() -> None:
    drawn = pl.DataFrame(
        {
            "model": ["churn", "churn", "clv"],
            "horizon_days": [30, 30, 60],
            "metric": ["auc", "auc", "normalised_gini"],
            "scored_as_of_date": [DAY - timedelta(days=60), DAY - timedelta(days=30), DAY],
            "value": [0.7, 0.75, 0.6],
            "tested": [0.72, 0.72, None],
            "is_backfilled": [True, False, False],
        }
    )
    first, second = outcomes(drawn).axes
    assert (first.get_title(), second.get_title()) == (
        "AUC of churn probabilities over 30 days",
        "Normalised Gini of expected amounts over 60 days",
    )
    assert first.get_ylabel() == "AUC (1: perfect order)"
    assert second.get_xlabel() == "Day of the scores"
    shown = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in (first, second)]
    assert shown == [
        ["found in its test", "published scores, graded", "back-filled scores, graded"],
        ["found in its test", "published scores, graded"],
    ]
