"""Uplift: rankings measured by hand, and an experiment whose effects are known."""

import numpy as np
import polars as pl
import pytest

from ml.campaigns.bands import band_of, bands
from ml.campaigns.qini import QINI, Ranking, grade, held_slope
from ml.campaigns.uplift import AVERAGE, LEARNERS, RESPONSE, make_learner
from ml.campaigns.uplift_training import Question, Training, check_design, train
from tests.ml.campaigns import MAILED, mailed

ASKED = Question("uplift_mail", MAILED, window_days=14, is_truth=True, seed=0)


def test_the_curve_of_six_customers_is_as_drawn_by_hand() -> None:
    treated, outcome = np.array([1.0, 0, 1, 0, 1, 0]), np.array([1.0, 0, 1, 1, 0, 1])
    share, gain = Ranking(treated, outcome, np.array([6.0, 5, 4, 3, 2, 1])).curve()
    assert share == pytest.approx(np.arange(7) / 6)
    # contacted less controls scaled to as many, over three: nobody; no control yet; 1 - 0; 2 - 0; 2 - 1; 2 - 1.5; 2 - 2
    assert gain == pytest.approx(np.array([0, 0, 1, 2, 1, 0.5, 0]) / 3)
    together = Ranking(treated, outcome, np.zeros(6))
    assert together.curve()[1].tolist() == [0.0, 0.0]
    assert together.measure()[0] == 0.0  # a constant is a random order


def test_weights_are_customers_counted_as_often() -> None:
    random = np.random.default_rng(1)
    treated, outcome = np.tile([1.0, 0.0], 30), random.random(60).round(1)
    score, weights = random.random(60), random.integers(0, 3, 60)
    repeated = [np.repeat(values, weights) for values in (treated, outcome, score)]
    assert Ranking(treated, outcome, score).measure(weights.astype(float)) == pytest.approx(
        Ranking(*repeated).measure()
    )


def test_the_order_of_customers_changes_no_measure() -> None:
    random = np.random.default_rng(2)
    treated, outcome, score = (
        np.tile([1.0, 0.0], 100),
        random.integers(0, 2, 200) * 1.0,
        random.integers(0, 9, 200) * 1.0,
    )
    order = random.permutation(200)
    shuffled = Ranking(treated[order], outcome[order], score[order]).measure()
    assert shuffled == pytest.approx(Ranking(treated, outcome, score).measure(), rel=1e-12)


def test_differences_that_held_are_kept_and_those_that_did_not_are_none() -> None:
    units, effect = mailed(40_000, seed=3)
    treated, outcome = units["is_treated"].cast(float).to_numpy(), units["outcome"].to_numpy()
    assert held_slope(treated, outcome, effect) == pytest.approx(1.0, abs=0.15)
    assert held_slope(treated, outcome, 4 * effect) == pytest.approx(0.25, abs=0.04)
    assert held_slope(treated, outcome, -effect) == 0.0
    assert held_slope(treated, outcome, np.full(40_000, 0.1)) == 0.0


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_recover_known_effects_on_chances_and_on_amounts(name: str) -> None:
    units, effect = mailed(30_000, seed=4)
    known = units.drop("is_treated", "outcome")
    treated, outcome = units["is_treated"].cast(float).to_numpy(), units["outcome"].to_numpy()
    chances = make_learner(name, is_truth=True).fit(known, treated, outcome).predict(known)
    assert np.corrcoef(chances, effect)[0, 1] > 0.85
    assert chances.mean() == pytest.approx(effect.mean(), abs=0.012)
    amounts = make_learner(name, is_truth=False).fit(known, treated, 20 * outcome).predict(known)
    assert np.corrcoef(amounts, effect)[0, 1] > 0.85
    assert amounts.mean() == pytest.approx(20 * effect.mean(), abs=0.25)


@pytest.fixture(scope="module")
def trained() -> Training:
    return train(mailed(20_000, seed=5)[0], ASKED)


def test_targeting_by_uplift_beats_targeting_by_response(trained: Training) -> None:
    assert trained.decision.served_by == "champion"
    assert trained.decision.candidate in LEARNERS
    found = {(one.candidate, one.opponent): one.difference for one in trained.decision.comparisons}
    assert found[trained.decision.candidate, RESPONSE].lower > 0
    assert found[trained.decision.candidate, AVERAGE].lower > 0
    heads = trained.evaluations.filter(metric="uplift_at_30")
    best, response = (heads.filter(candidate=name)["value"][0] for name in (trained.decision.candidate, RESPONSE))
    assert best > 0.08 > response


def test_predicted_uplift_is_true_on_customers_of_another_draw(trained: Training) -> None:
    others, effect = mailed(20_000, seed=6)
    told = trained.serving.predict(others.drop("is_treated", "outcome"))
    high = told > np.median(told)
    assert told[high].mean() == pytest.approx(effect[high].mean(), abs=0.02)
    assert told[~high].mean() == pytest.approx(effect[~high].mean(), abs=0.02)


def test_bands_show_what_chance_shows_and_hold_the_truth(trained: Training) -> None:
    found = trained.bands
    assert found["contacted_count"].sum() + found["control_count"].sum() == 20_000
    assert found["predicted_uplift"].is_sorted(descending=True)
    assert found["effect_lower"][0] > found["effect_upper"][-1]
    lowest = found["lowest_uplift"].to_numpy()
    assert band_of(np.array([1.0, lowest[1], lowest[1] - 1e-9, -1.0]), found).tolist() == [1, 2, 3, len(lowest)]
    units, effect = mailed(20_000, seed=10)
    guess = effect + np.random.default_rng(1).normal(0, 0.05, 20_000)
    shown = bands(units["is_treated"].cast(float).to_numpy(), units["outcome"].to_numpy(), guess, is_truth=True)
    truth = (
        pl.DataFrame({"band": band_of(guess, shown), "effect": effect}).group_by("band").agg(pl.col("effect").mean())
    )
    held = shown.drop("effect").join(truth, on="band")
    assert held.select(pl.col("effect").is_between("effect_lower", "effect_upper").sum()).item() >= 4


def test_an_effect_in_a_band_is_the_difference_of_its_means() -> None:
    treated, outcome = np.array([1.0, 1, 0, 0] * 2), np.array([4.0, 6, 1, 3, 2, 2, 1, 2])
    found = bands(*(np.tile(values, 6) for values in (treated, outcome, np.repeat([2.0, 1.0], 4))), is_truth=False)
    assert found["effect"].to_list() == [3.0, 0.5]
    assert found["lowest_uplift"].to_list() == [2.0, 1.0]


def test_no_band_tells_of_what_a_few_people_did() -> None:
    treated, predicted = np.tile([1.0, 0.0], 100), np.arange(200.0)
    outcome = (np.arange(200) % 10 < 4) * 1.0  # 40 a side: 8 in each fifth, 10 in each quarter, 13 in each third
    found = bands(treated, outcome, predicted, is_truth=True)
    assert found["contacted_count"].to_list() == [33, 33, 34]


def test_where_everybody_is_moved_alike_everybody_has_the_average_effect() -> None:
    units, effect = mailed(10_000, seed=7, spread=0.0)
    found = train(units, ASKED)
    assert (found.decision.served_by, found.decision.candidate) == ("rule", AVERAGE)
    told = found.serving.predict(units.drop("is_treated", "outcome"))
    assert len(set(told.tolist())) == 1
    assert told[0] == pytest.approx(effect[0], abs=0.015)
    assert found.bands.height == 1


def test_rows_in_another_order_make_the_same_model(trained: Training) -> None:
    units = mailed(20_000, seed=5)[0]
    again = train(units.sample(fraction=1.0, shuffle=True, seed=1), ASKED)
    assert again.evaluations.equals(trained.evaluations)
    assert again.bands.equals(trained.bands)


def test_a_draw_that_the_data_contradicts_is_refused() -> None:
    units = mailed(4_000, seed=8)[0]
    assert check_design(units, ASKED, shares=(1, 1)).refusal is None
    lost = units.filter(pl.col("is_treated") | (pl.int_range(pl.len()) % 5 > 0))
    assert "shares" in (check_design(lost, ASKED, shares=(1, 1)).refusal or "")
    chosen = units.filter(~pl.col("is_treated") | (pl.col("bought_womens") == "1") | (pl.int_range(pl.len()) % 3 > 0))
    assert "what was known before" in (check_design(chosen, ASKED, shares=None).refusal or "")


def test_too_few_customers_or_outcomes_are_refused_with_their_numbers() -> None:
    units = mailed(4_000, seed=8)[0]
    few = check_design(units.head(600), ASKED, shares=None)
    assert few.refusal == (
        f"{few.contacted_count} customers contacted and {few.control_count} controls; 500 each are needed"
    )
    nothing = units.with_columns(outcome=pl.lit(0.0))
    assert "0 outcomes of those contacted" in (check_design(nothing, ASKED, shares=None).refusal or "")


def test_a_random_order_is_not_found_better_than_itself_more_often_than_its_interval_says() -> None:
    random, above = np.random.default_rng(9), 0
    for _ in range(100):
        treated, outcome = (random.random(400) < 0.5) * 1.0, (random.random(400) < 0.3) * 1.0
        graded = grade(treated, outcome, {"random": random.random(400)}, seed=0)
        above += graded.interval("random", QINI).lower > 0
    assert above <= 8  # of 2.5 expected
