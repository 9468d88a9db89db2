"""Groups beside the rest: values that can be counted by hand, and warnings only where a group really differs."""

import numpy as np
import polars as pl
import pytest

from ml.evaluation import TESTED
from ml.fairness import FAIRNESS, Limits, flagged, grade_groups, warnings

LIMITS = Limits(difference=0.1, customers=100)


def frame(
    predicted: np.ndarray, actual: np.ndarray, **attributes: list[str | None]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    ids = [f"c{number:05}" for number in range(len(predicted))]
    tested = pl.DataFrame({"customer_id": ids, "predicted": predicted, "actual": actual}, schema=TESTED)
    return tested, pl.DataFrame({"customer_id": ids, **attributes})


def measured(model: str, tested: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    return grade_groups(model, tested, groups, seed=0, flagged_from=0.5, limits=LIMITS)


def row(found: pl.DataFrame, group: str, metric: str) -> dict[str, float]:
    (one,) = found.filter(pl.col("group_name") == group, pl.col("metric") == metric).to_dicts()
    return one


def half_and_half() -> tuple[pl.DataFrame, pl.DataFrame]:
    """200 old customers told 0.6 of whom 40 % churn, 200 young ones told 0.4 of whom 40 % churn."""
    actual = np.tile([1.0, 1.0, 0.0, 0.0, 0.0], 80)
    return frame(np.repeat([0.6, 0.4], 200), actual, age_band=["old"] * 200 + ["young"] * 200)


def test_the_values_of_a_group_are_those_of_its_customers_alone() -> None:
    found = measured("churn", *half_and_half())
    assert found.schema == pl.Schema(FAIRNESS)
    old = {metric: row(found, "old", metric) for metric in ("auc", "calibration_in_the_large", "share_flagged")}
    assert {metric: one["value"] for metric, one in old.items()} == {
        "auc": 0.5,  # one prediction for everybody
        "calibration_in_the_large": pytest.approx(0.2),
        "share_flagged": 1,
    }
    assert [old[metric]["difference"] for metric in old] == pytest.approx([0, 0.2, 1])
    assert {one["customer_count"] for one in old.values()} == {200}
    level = old["calibration_in_the_large"]
    assert level["lower"] < 0.2 < level["upper"]
    assert level["difference_lower"] < 0.2 < level["difference_upper"]


def test_a_warning_names_attribute_metric_and_groups() -> None:
    found = measured("churn", *half_and_half())
    assert warnings("churn", found, limits=LIMITS) == [
        "churn by age band: share flagged differs by more than 0.1 from the rest for old (1, +1), young (0, -1).",
        (
            "churn by age band: calibration in the large differs by more than 0.1 from the rest for "
            "old (0.2, +0.2), young (0, -0.2)."
        ),
    ]


def test_a_difference_that_chance_explains_is_no_warning_even_among_many_groups() -> None:
    random = np.random.default_rng(1)
    probability = random.beta(2, 3, 3000)
    actual = (random.random(3000) < probability).astype(float)
    regions = [f"r{number}" for number in random.integers(0, 20, 3000)]
    found = measured("churn", *frame(probability, actual, region=regions))
    assert found["group_name"].n_unique() > 15
    assert found["difference"].abs().max() > 0.1
    assert warnings("churn", found, limits=LIMITS) == []


def test_a_group_below_the_minimum_is_left_out_and_counts_among_the_rest() -> None:
    tested, _ = half_and_half()
    bands = ["old"] * 200 + ["young"] * 101 + ["rare"] * 99
    found = measured("churn", tested, pl.DataFrame({"customer_id": tested["customer_id"], "gender": bands}))
    assert found["group_name"].unique().sort().to_list() == ["old", "young"]
    assert row(found, "young", "share_flagged")["difference"] == pytest.approx(-200 / 299)


def test_who_declares_nothing_is_neither_in_a_group_nor_in_the_rest() -> None:
    tested, _ = half_and_half()
    gender = ["f"] * 150 + ["m"] * 50 + [None] * 200
    found = measured("churn", tested, pl.DataFrame({"customer_id": tested["customer_id"], "gender": gender}))
    (one,) = found.filter(pl.col("metric") == "share_flagged").to_dicts()
    assert (one["group_name"], one["customer_count"], one["value"]) == ("f", 150, 1)
    assert (one["difference"], one["is_warning"]) == (None, False), "fifty others are too few to compare with"


def test_rank_and_level_want_twenty_of_the_rarer_outcome() -> None:
    actual = np.zeros(400)
    actual[:19] = 1
    actual[200:220] = 1
    tested, groups = frame(np.linspace(0, 1, 400), actual, region=["n"] * 200 + ["s"] * 200)
    found = measured("churn", tested, groups)
    assert found.filter(pl.col("group_name") == "n")["metric"].to_list() == ["share_flagged"]
    assert found.filter(pl.col("group_name") == "s").height == 3


def test_clv_is_graded_by_gini_and_by_bias_as_a_share_and_flags_the_top_tenth() -> None:
    actual = np.concatenate([np.full(200, 10.0), np.full(200, 20.0)])
    predicted = np.concatenate([np.linspace(9, 11, 200), np.full(200, 25.0)])
    found = measured("clv", *frame(predicted, actual, region=["n"] * 200 + ["s"] * 200))
    assert row(found, "s", "bias")["value"] == pytest.approx(0.25)
    assert row(found, "n", "bias")["value"] == pytest.approx(0)
    assert row(found, "n", "normalised_gini")["value"] is None, "everybody brought the same"
    assert flagged("clv", np.arange(100.0), flagged_from=0.5).nonzero()[0].tolist() == [*range(90, 100)]
    assert flagged("clv", np.full(50, 7.0), flagged_from=0.5).sum() == 0


def test_without_a_contest_or_declared_groups_there_are_no_rows() -> None:
    tested, groups = half_and_half()
    assert measured("churn", tested.clear(), groups).is_empty()
    assert measured("churn", tested, groups.select("customer_id")).is_empty()


def test_the_order_of_customers_changes_nothing() -> None:
    tested, groups = half_and_half()
    mixed = measured("churn", tested.sample(fraction=1, shuffle=True, seed=1), groups.reverse())
    assert mixed.equals(measured("churn", tested, groups))
