import numpy as np
from scipy.special import expit

from ml.gate import CHURN_CRITERIA, CLV_CRITERIA, Contest, Decision, decide

RANDOM = np.random.default_rng(0)
SIGNAL = RANDOM.normal(0, 1.5, 1500)
CHURNED = (RANDOM.random(1500) < expit(SIGNAL - 1)).astype(float)
RATE = np.full(1500, CHURNED.mean())
KNOWS = expit(SIGNAL - 1)
KNOWS_LITTLE = expit(0.25 * SIGNAL - 0.8)
KNOWS_LESS_THAN_IT_SAYS = expit(4 * (SIGNAL - 1))
SPENT = np.exp(SIGNAL) * RANDOM.gamma(4, 0.25, 1500)


def churn(model: np.ndarray, rule: np.ndarray) -> Decision:
    predictions = {"model": model, "rule": rule, "base_rate": RATE}
    return decide(Contest(CHURNED, predictions, "model", ["rule"], "base_rate", CHURN_CRITERIA), seed=0)


def test_a_model_that_beats_the_rule_serves_and_says_by_how_much() -> None:
    decision = churn(KNOWS, np.clip(KNOWS + RANDOM.normal(0, 0.2, 1500), 0.01, 0.99))
    assert (decision.served_by, decision.candidate) == ("champion", "model")
    assert decision.status == {"model": "champion", "rule": "rule", "base_rate": "rule"}
    assert "AUC" in decision.reason
    assert "95 % interval" in decision.reason


def test_a_model_as_good_as_the_rule_does_not_serve() -> None:
    decision = churn(KNOWS, KNOWS)
    assert (decision.served_by, decision.candidate) == ("rule", "rule")
    assert decision.status["model"] == "rejected"


def test_a_model_that_ranks_well_but_is_overconfident_does_not_serve() -> None:
    decision = churn(KNOWS_LESS_THAN_IT_SAYS, expit(SIGNAL + RANDOM.normal(0, 2, 1500) - 1))
    assert decision.served_by != "champion"
    assert "is outside 0.8 to 1.2" in decision.reason


def test_where_no_rule_keeps_its_level_the_population_rate_serves() -> None:
    decision = churn(KNOWS_LESS_THAN_IT_SAYS, KNOWS_LITTLE)
    assert (decision.served_by, decision.candidate) == ("population", "base_rate")
    assert "No rule keeps its calibration slope" in decision.reason


def test_the_model_meets_the_best_rule_in_rank_and_the_best_in_loss() -> None:
    predictions = {
        "model": SPENT.mean() * np.ones(1500),
        "ranks": 9 * np.exp(SIGNAL),
        "levels": np.exp(SIGNAL) * RANDOM.gamma(4, 0.25, 1500),
        "mean": SPENT.mean() * np.ones(1500),
    }
    contest = Contest(SPENT, predictions, "model", ["ranks", "levels"], "mean", CLV_CRITERIA)
    decision = decide(contest, seed=0)
    assert "against ranks" in decision.reason
    assert "against levels" in decision.reason
    assert decision.candidate == "levels"


def test_twenty_models_of_noise_are_all_refused() -> None:
    rule = np.clip(KNOWS + RANDOM.normal(0, 0.1, 1500), 0.01, 0.99)
    assert all(churn(RANDOM.permutation(KNOWS), rule).served_by != "champion" for _ in range(20))
