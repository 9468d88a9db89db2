"""How often experiments without any effect find one, assigned by keyed hash and analysed like real ones."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from ml.experiments.analysis import Progress, analyse
from ml.experiments.assignment import assign
from ml.experiments.design import Analysis, Design, Metric
from ml.moments import add_up, merged
from orchestration.privacy.keys import Key
from tests.ml.experiments import DESIGN

CUSTOMERS, LOOKS = 1_000, 20
BOTH = replace(DESIGN, metrics=(Metric("net_amount", is_proportion=False), Metric("conversion", is_proportion=True)))
KEY = Key(b"a key of these tests")
IDS = [f"c{number:04}" for number in range(CUSTOMERS)]


def shoppers(seed: int) -> pl.DataFrame:
    """What customers would spend whatever is done to them: most nothing, some much, and alike what they did before."""
    random = np.random.default_rng(seed)
    taste = random.gamma(2, 1, CUSTOMERS)
    bought = random.random(CUSTOMERS) < 0.15 * taste
    spent = np.where(bought, random.gamma(2, 10 * taste), 0)
    past = random.gamma(2, 10 * taste)
    return pl.DataFrame(
        {
            "customer_id": IDS,
            "value_0": spent,
            "covariate_0": past,
            "value_1": bought.astype(int),
            "covariate_1": (past > 15).astype(int),
        }
    ).with_columns(pl.col("value_0", "covariate_0", "value_1", "covariate_1").cast(pl.Decimal(18, 4)))


def in_arms(people: pl.DataFrame, number: int) -> pl.DataFrame:
    hashes = KEY.hashes(("experiment", str(number)), IDS)
    return people.join(assign(hashes, DESIGN.arms), on="customer_id", maintain_order="left")


def findings(design: Design, people: pl.DataFrame) -> list[float | None]:
    """The corrected p-values of an experiment on these people."""
    found = merged([add_up(people, metrics=len(design.metrics))])
    counts = {arm: one.n for (arm, _), one in found.items()}
    progress = Progress("final", None, counts)
    rows = analyse(design, progress, found, as_of=date(2026, 6, 30))
    return rows.filter(arm="offer")["corrected_p_value"].to_list()


def rate(experiments: int, *, has_covariate: bool, metric: int) -> float:
    """Share of A/A experiments of one metric that find a difference at 5 %."""
    design = replace(BOTH, metrics=BOTH.metrics[metric : metric + 1])
    names = {f"{name}_{metric}": f"{name}_0" for name in ("value", "covariate")}
    count = 0
    for number in range(experiments):
        people = in_arms(shoppers(number % 50), number).select("arm", *names).rename(names)
        if not has_covariate:
            people = people.with_columns(covariate_0=None)
        (p_value,) = findings(design, people)
        count += p_value is not None and p_value < 0.05
    return count / experiments


def family_rate(experiments: int) -> float:
    """Share of A/A experiments of two metrics that find a difference in any."""
    each = (findings(BOTH, in_arms(shoppers(number % 50), number)) for number in range(experiments))
    return sum(any(value is not None and value < 0.05 for value in values) for values in each) / experiments


def peeking_rate(experiments: int, *, analysis: Analysis) -> float:
    """Share of A/A experiments that are stopped on a finding when looked at twenty times on the way."""
    design = replace(BOTH, metrics=BOTH.metrics[:1], analysis=analysis, planned_customers=CUSTOMERS)
    ends = np.linspace(CUSTOMERS / LOOKS, CUSTOMERS, LOOKS).astype(int)
    stopped = 0
    for number in range(experiments):
        people = in_arms(shoppers(number % 50), number).sample(fraction=1, shuffle=True, seed=number)
        looks = (findings(design, people[:end])[0] for end in ends)
        stopped += any(value is not None and value < 0.05 for value in looks)
    return stopped / experiments


def bound(experiments: int) -> float:
    """Three standard errors of a rate of 5 %."""
    return float(3 * np.sqrt(0.05 * 0.95 / experiments))


@pytest.mark.parametrize(("metric", "has_covariate"), [(0, False), (1, False), (0, True)])
def test_experiments_without_an_effect_find_one_in_five_of_a_hundred(metric: int, has_covariate: bool) -> None:
    assert rate(400, has_covariate=has_covariate, metric=metric) == pytest.approx(0.05, abs=bound(400))


def test_of_two_metrics_any_finds_one_no_more_often() -> None:
    assert family_rate(300) <= 0.05 + bound(300)


def test_peeking_ruins_the_fixed_test_and_not_the_sequential_one() -> None:
    assert peeking_rate(100, analysis="sequential") <= 0.05 + bound(100)
    assert peeking_rate(100, analysis="fixed_horizon") > 0.05 + bound(100)


@pytest.mark.full
@pytest.mark.parametrize(("metric", "has_covariate"), [(0, False), (1, False), (0, True)])
def test_of_two_thousand_experiments_it_is_five_per_cent_within_a_point(metric: int, has_covariate: bool) -> None:
    assert rate(2000, has_covariate=has_covariate, metric=metric) == pytest.approx(0.05, abs=0.01)


@pytest.mark.full
def test_of_a_thousand_experiments_looked_at_twenty_times_at_most_five_per_cent_stop() -> None:
    assert peeking_rate(1000, analysis="sequential") <= 0.05
    assert peeking_rate(1000, analysis="fixed_horizon") > 0.15
