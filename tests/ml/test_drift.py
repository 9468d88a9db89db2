"""The population stability index against numbers worked out by hand."""

import math

import numpy as np
import pytest

from ml.drift import population_stability_index

SCORES = np.arange(100) / 100


def test_the_same_scores_in_any_order_have_not_moved() -> None:
    assert population_stability_index(SCORES, SCORES[::-1]) == 0


def test_scores_that_all_went_to_the_top_have_moved_as_far_as_the_formula_says() -> None:
    then, empty, full = 10.5 / 105, 0.5 / 105, 100.5 / 105
    expected = 9 * (empty - then) * math.log(empty / then) + (full - then) * math.log(full / then)
    assert population_stability_index(SCORES, np.full(100, 0.99)) == pytest.approx(expected)


def test_a_larger_shift_is_a_larger_index() -> None:
    small, large = (population_stability_index(SCORES, np.clip(SCORES + shift, 0, 1)) for shift in (0.05, 0.3))
    assert 0 < small < 0.25 < large


def test_one_score_for_everybody_moves_nowhere_and_no_score_is_no_number() -> None:
    assert population_stability_index(np.full(9, 0.2), np.full(9, 0.2)) == 0
    assert math.isnan(population_stability_index(np.array([]), SCORES))
