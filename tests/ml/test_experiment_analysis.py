import math
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from ml.comparison import Sample, anytime, proportions, welch
from ml.experiments import cuped
from ml.experiments.analysis import Progress, analyse
from ml.experiments.corrections import corrected
from ml.experiments.design import Arm, Design, Metric
from ml.moments import Moments, add_up, merged
from ml.randomisation import sample_ratio
from tests.ml.experiments import DESIGN, customers, moments

DAY = date(2026, 6, 30)


def counted(n: int, positive: int) -> Moments:
    """Customers of whom some did it."""
    units = positive * 10_000
    return Moments(n, positive, units, units * 10_000, 0, 0, 0)


def result(design: Design, found: dict[tuple[str, int], Moments], **progress: Any) -> pl.DataFrame:
    assigned = {arm: one.n for (arm, _), one in found.items()}
    given = {"status": "final", "reason": None, "assigned": assigned} | progress
    return analyse(design, Progress(**given), found, as_of=DAY)


def test_sums_are_those_of_the_values_however_customers_are_divided() -> None:
    rows = customers({"offer": np.array([1.0, 2.0, 6.0]), "control": np.array([0.0, 0.0001])})
    whole = merged([add_up(rows, metrics=1)])
    parted = merged(add_up(rows[number : number + 1], metrics=1) for number in (4, 0, 3, 2, 1))
    assert whole == parted
    offer = whole["offer", 0]
    assert (offer.n, offer.positive, offer.mean, offer.variance) == (3, 3, 3.0, 7.0)
    assert whole["control", 0].positive == 1


def test_variance_is_exact_where_squares_of_floats_would_leave_nothing() -> None:
    found = moments({"offer": np.array([1e8, 1e8 + 0.0001, 1e8 + 0.0002])})["offer", 0]
    assert found.variance == pytest.approx(1e-8, rel=1e-12)


def test_a_difference_of_means_is_welch_s_as_scipy_has_it() -> None:
    random = np.random.default_rng(3)
    a, b = random.exponential(20, 200).round(4), random.exponential(17, 90).round(4)
    found = moments({"a": a, "b": b})
    samples = [Sample(one.n, one.mean, one.variance) for one in (found["a", 0], found["b", 0])]
    ours = welch(*samples, confidence=0.95)
    theirs = stats.ttest_ind(a, b, equal_var=False)
    assert ours is not None
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert (ours.lower, ours.upper) == pytest.approx(theirs.confidence_interval(0.95), rel=1e-9)


def test_a_difference_of_proportions_is_newcombe_s_own_example() -> None:
    found = proportions(counted(70, 56), counted(80, 48), confidence=0.95)
    assert found is not None
    # Newcombe (1998), table II, (a) 56/70 - 48/80, method 10
    assert (found.effect, round(found.lower, 4), round(found.upper, 4)) == (pytest.approx(0.2), 0.0524, 0.3339)
    table = [[56, 14], [48, 32]]
    assert found.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)


def test_where_nothing_varies_there_is_nothing_to_test() -> None:
    assert welch(Sample(50, 1.0, 0.0), Sample(50, 1.0, 0.0), confidence=0.95) is None
    assert anytime(Sample(50, 1.0, 0.0), Sample(50, 0.0, 0.0), confidence=0.95, planned_customers=100) is None
    assert proportions(counted(50, 0), counted(50, 0), confidence=0.95) is None


def test_the_interval_for_any_time_ends_where_its_p_value_is_five_per_cent_and_is_wider_than_the_fixed_one() -> None:
    arm, control = Sample(500, 10.0, 40.0), Sample(500, 9.0, 50.0)
    found = anytime(arm, control, confidence=0.95, planned_customers=1000)
    fixed = welch(arm, control, confidence=0.95)
    assert found is not None
    assert fixed is not None
    # by hand: rho^2 n = 5.9915 + log 6.9915 = 7.9362; half = sqrt(.18 * (1 + 1 / 7.9362) * (log 8.9362 + 5.9915))
    assert found.upper - found.effect == pytest.approx(math.sqrt(0.18 * 1.126005 * (2.190111 + 5.991465)), rel=1e-5)
    edge = Sample(500, 9.0 + (found.effect - found.lower), 40.0)
    at_edge = anytime(edge, control, confidence=0.95, planned_customers=1000)
    assert at_edge is not None
    assert at_edge.p_value == pytest.approx(0.05)
    assert found.upper - found.lower > fixed.upper - fixed.lower


def test_cuped_takes_out_the_known_correlation() -> None:
    # By hand: values 2, 4, 6 and 1, 3, 8 over covariates 1, 2, 3: products within arms 4 and 7, squares 2 and 2,
    # so theta is 11 / 4; the values' squares 8 and 26 become 34 - 11^2 / 4 = 3.75.
    found = moments(
        {"offer": np.array([2.0, 4.0, 6.0]), "control": np.array([1.0, 3.0, 8.0])},
        {"offer": np.array([1.0, 2.0, 3.0]), "control": np.array([1.0, 2.0, 3.0])},
    )
    arms = list(found.values())
    theta = cuped.slope(arms)
    assert theta == 2.75
    assert cuped.variance_reduction(arms, theta) == pytest.approx(1 - 3.75 / 34)
    assert cuped.adjusted(found["offer", 0], theta).mean == pytest.approx(4 - 2.75 * 2)


def test_cuped_finds_the_same_effect_with_the_variance_that_the_correlation_leaves() -> None:
    random = np.random.default_rng(5)
    before = {arm: random.normal(50, 10, 20_000) for arm in ("control", "offer")}
    after = {arm: 0.8 * before[arm] + random.normal(0, 6, 20_000) for arm in before}  # correlation .8
    after["offer"] = after["offer"] + 1
    found = moments(after, before)
    progress = Progress("final", None, {"control": 20_000, "offer": 20_000})
    row = analyse(DESIGN, progress, found, as_of=DAY).filter(arm="offer").row(0, named=True)
    assert row["variance_reduction"] == pytest.approx(0.64, abs=0.01)
    widths = [row[f"{name}_upper"] - row[f"{name}_lower"] for name in ("cuped", "effect")]
    assert widths[0] / widths[1] == pytest.approx(0.6, abs=0.01)
    assert row["cuped_lower"] < 1 < row["cuped_upper"]
    assert row["conclusion"] == "higher"


def test_several_p_values_are_corrected_as_by_hand() -> None:
    given = [0.01, 0.04, 0.03, 0.005]
    assert corrected(given, by="holm") == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert corrected(given, by="benjamini_hochberg") == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert corrected([], by="holm") == corrected([], by="benjamini_hochberg") == []


def test_arms_that_lost_their_shares_are_noticed_and_their_experiment_concludes_nothing() -> None:
    assert sample_ratio([5000, 5000], [1, 1]) == 1.0
    assert sample_ratio([821_588, 815_482], [0.5, 0.5]) == pytest.approx(1.8e-6, rel=0.02)  # chi-square 22.8 by hand
    assert sample_ratio([0, 0], [1, 1]) is None
    values = {"control": np.tile([0.0, 1.0], 500), "offer": np.tile([3.0, 5.0], 400)}
    lost = result(DESIGN, moments(values)).filter(arm="offer").row(0, named=True)
    assert (lost["is_sample_ratio_kept"], lost["conclusion"], lost["effect"]) == (False, "invalid", 3.5)


def test_an_experiment_of_a_fixed_horizon_says_nothing_of_outcomes_before_its_end() -> None:
    found = moments({"control": np.tile([0.0, 1.0], 50), "offer": np.tile([3.0, 5.0], 50)})
    early = result(DESIGN, found, status="running", reason="ends on 2026-07-31")
    assert early["assigned_count"].to_list() == [100, 100]
    hidden = ["customer_count", "mean", "effect", "effect_lower", "effect_p_value", "corrected_p_value", "conclusion"]
    assert early.select(pl.col(hidden).is_null().all()).row(0) == (True,) * len(hidden)
    sequential = Design(**{**DESIGN.__dict__, "analysis": "sequential", "planned_customers": 200})
    looked_at = result(sequential, found, status="running").filter(arm="offer").row(0, named=True)
    assert (looked_at["effect"], looked_at["conclusion"]) == (3.5, "higher")


def test_few_people_are_not_told_of_and_neither_is_what_would_give_them_away() -> None:
    few = {"control": np.repeat([0.0, 9.0], [90, 10]), "offer": np.repeat([0.0, 9.0], [60, 40])}
    rows = result(DESIGN, moments(few)).sort("arm")
    assert rows["mean"].to_list() == [None, 3.6]
    assert rows["effect"].to_list() == [None, None]
    tiny = result(DESIGN, moments({"control": np.ones(5), "offer": np.ones(40)})).sort("arm")
    assert tiny["assigned_count"].to_list() == [None, 40]
    assert tiny["customer_count"].to_list() == [None, 40]


def test_each_arm_and_metric_stands_beside_the_control_and_all_are_corrected_together() -> None:
    design = Design(
        "mail",
        tuple(Arm(name, None, is_control=name == "none") for name in ("none", "mens", "womens")),
        (Metric("response", is_proportion=True), Metric("net_amount", is_proportion=False)),
        assigned_by="data",
    )
    random = np.random.default_rng(8)
    rows = pl.DataFrame({"arm": np.repeat(["none", "mens", "womens"], 300)}).with_columns(
        value_0=pl.Series((random.random(900) < 0.3).astype(int)).cast(pl.Decimal(18, 4)),
        value_1=pl.Series(random.exponential(5, 900)).cast(pl.Decimal(18, 4)),
        covariate_0=pl.lit(None, pl.Decimal(18, 4)),
        covariate_1=pl.lit(None, pl.Decimal(18, 4)),
    )
    found = result(design, merged([add_up(rows, metrics=2)]))
    assert found.height == 6
    assert found["is_sample_ratio_kept"].null_count() == 6  # nobody says what the shares were meant to be
    compared = found.filter(~pl.col("is_control"))
    assert compared["effect_p_value"].null_count() == 0
    assert compared["corrected_p_value"].to_list() == corrected(compared["effect_p_value"].to_list(), by="holm")
    assert found.filter("is_control")["effect"].null_count() == 2
