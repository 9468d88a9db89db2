from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
from scipy.special import expit

from ml.evaluation import Holdouts, Outcome
from ml.gate import CHURN_CRITERIA, CLV_CRITERIA, Contest, Decision, decide

RANDOM = np.random.default_rng(0)
SIGNAL = RANDOM.normal(0, 1.5, 1500)
CHURNED = (RANDOM.random(1500) < expit(SIGNAL - 1)).astype(float)
RATE = np.full(1500, CHURNED.mean())
KNOWS = expit(SIGNAL - 1)
KNOWS_LITTLE = expit(0.25 * SIGNAL - 0.8)
KNOWS_LESS_THAN_IT_SAYS = expit(4 * (SIGNAL - 1))
SPENT = np.exp(SIGNAL) * RANDOM.gamma(4, 0.25, 1500)


CUSTOMERS = pl.Series([f"c{number}" for number in range(1500)])


def contest(
    predictions: dict[str, np.ndarray],
    challengers: Sequence[str],
    rules: Sequence[str],
    *,
    actual: np.ndarray = CHURNED,
    champion: str | None = None,
) -> Decision:
    holdouts = Holdouts([Outcome(date(2026, 1, 1), CUSTOMERS, actual)], seed=0)
    told = {name: [array] for name, array in predictions.items()}
    criteria = CHURN_CRITERIA if actual is CHURNED else CLV_CRITERIA
    return decide(Contest(holdouts, told, challengers, rules, "population", criteria, champion))


def churn(model: np.ndarray, rule: np.ndarray) -> Decision:
    return contest({"model": model, "rule": rule, "population": RATE}, ["model"], ["rule"])


def noisy(size: float, seed: int) -> np.ndarray:
    return expit(SIGNAL - 1 + np.random.default_rng(seed).normal(0, size, 1500))


def test_a_model_that_beats_the_rule_serves_and_says_by_how_much() -> None:
    decision = churn(KNOWS, np.clip(KNOWS + RANDOM.normal(0, 0.2, 1500), 0.01, 0.99))
    assert (decision.served_by, decision.candidate) == ("champion", "model")
    assert decision.status == {"model": "champion", "rule": "rule", "population": "rule"}
    assert "AUC" in decision.reason
    assert "95 % interval" in decision.reason


def test_where_rank_must_be_won_a_smaller_loss_alone_does_not_serve() -> None:
    rule = np.clip(KNOWS, 0.01, 0.99) * 0.6 + 0.2  # in the same order, but further from what happened
    holdouts = Holdouts([Outcome(date(2026, 1, 1), CUSTOMERS, CHURNED)], seed=0)
    told = {"model": [KNOWS], "rule": [rule], "population": [RATE]}
    served = {}
    for must in (False, True):
        criteria = replace(CHURN_CRITERIA, must_win_rank=must)
        served[must] = decide(Contest(holdouts, told, ["model"], ["rule"], "population", criteria)).served_by
    assert served[False] == "champion"
    assert served[True] != "champion"


def test_every_number_of_a_decision_is_kept() -> None:
    decision = churn(KNOWS, noisy(1, 1))
    found = {(one.candidate, one.opponent, one.metric) for one in decision.comparisons}
    assert found == {("model", "rule", "AUC"), ("model", "rule", "Brier score"), ("model", "", "calibration slope")}
    assert all(one.difference.lower <= one.difference.value <= one.difference.upper for one in decision.comparisons)


def test_a_model_as_good_as_the_rule_does_not_serve() -> None:
    decision = churn(KNOWS, KNOWS)
    assert (decision.served_by, decision.candidate) == ("rule", "rule")
    assert decision.status["model"] == "rejected"
    assert "Does not beat the rules" in decision.reasons["model"]


def test_a_model_that_ranks_well_but_is_overconfident_does_not_serve() -> None:
    decision = churn(KNOWS_LESS_THAN_IT_SAYS, expit(SIGNAL + RANDOM.normal(0, 2, 1500) - 1))
    assert decision.served_by != "champion"
    assert "is outside 0.8 to 1.2" in decision.reasons["model"]


def test_where_no_rule_keeps_its_level_the_population_rate_serves() -> None:
    decision = churn(KNOWS_LESS_THAN_IT_SAYS, KNOWS_LITTLE)
    assert (decision.served_by, decision.candidate) == ("population", "population")
    assert "no rule keeps its calibration slope" in decision.reason


def test_the_model_meets_the_best_rule_in_rank_and_the_best_in_loss() -> None:
    predictions = {
        "model": SPENT.mean() * np.ones(1500),
        "ranks": 9 * np.exp(SIGNAL),
        "levels": np.exp(SIGNAL) * RANDOM.gamma(4, 0.25, 1500),
        "population": SPENT.mean() * np.ones(1500),
    }
    decision = contest(predictions, ["model"], ["ranks", "levels"], actual=SPENT)
    assert "against ranks" in decision.reasons["model"]
    assert "against levels" in decision.reasons["model"]
    assert decision.candidate == "levels"


def test_of_two_that_beat_the_rules_the_simpler_serves_unless_it_is_significantly_worse() -> None:
    rule = {"rule": noisy(2, 0), "population": RATE}
    alike = contest(rule | {"simple": noisy(0.1, 1), "complex": noisy(0.05, 2)}, ["simple", "complex"], ["rule"])
    assert alike.candidate == "simple"
    assert alike.status["complex"] == "challenger"
    apart = contest(rule | {"simple": noisy(0.8, 1), "complex": noisy(0.05, 2)}, ["simple", "complex"], ["rule"])
    assert apart.candidate == "complex"


def test_a_champion_is_replaced_only_by_one_that_is_not_significantly_worse() -> None:
    rule = {"rule": noisy(2, 0), "population": RATE}
    told = rule | {"simple": noisy(0.1, 1), "serving": noisy(0.05, 2)}
    assert contest(told, ["simple", "serving"], ["rule"], champion="serving").candidate == "simple"
    told = rule | {"simple": noisy(0.8, 1), "serving": noisy(0.05, 2)}
    assert contest(told, ["simple", "serving"], ["rule"], champion="serving").candidate == "serving"
    told = rule | {"simple": noisy(0.1, 1), "serving": RANDOM.permutation(KNOWS)}
    assert contest(told, ["simple", "serving"], ["rule"], champion="serving").candidate == "simple"


def test_one_that_could_not_take_part_is_on_record() -> None:
    decision = churn(KNOWS, noisy(1, 1)).refuse({"other": "other has no sound fit."})
    assert decision.status["other"] == "rejected"
    assert decision.reasons["other"] == "other has no sound fit."
    assert decision.candidate == "model"


def test_twenty_models_of_noise_are_all_refused() -> None:
    rule = np.clip(KNOWS + RANDOM.normal(0, 0.1, 1500), 0.01, 0.99)
    assert all(churn(RANDOM.permutation(KNOWS), rule).served_by != "champion" for _ in range(20))
