import numpy as np
import pytest

from ml.btyd.bg_nbd import BgNbd
from ml.btyd.choice import FAMILIES, PurchaseModel
from ml.btyd.gamma_gamma import GammaGamma
from ml.btyd.mbg_nbd import MbgNbd
from ml.btyd.pareto_nbd import ParetoNbd
from tests.ml.simulated import Array, cdnow_histories, histories, purchase_times


def loyal() -> Array:
    return histories(purchase_times(3000, r=2, alpha=8, a=1e-9, b=1e3, until=100, seed=1), until=100)


def leaving_alike() -> Array:
    """Everybody has the same chance to leave at a purchase: BG/NBD's chances would have to be all alike."""
    return histories(purchase_times(6000, r=1, alpha=5, a=2e4, b=8e4, until=100, seed=1), until=100)


def test_the_first_family_is_kept_where_its_fit_is_sound() -> None:
    X = cdnow_histories()[:, :3]
    model, alone = PurchaseModel().fit(X), BgNbd().fit(X)
    assert (model.family_, model.is_sound_, len(model.tried_)) == ("bg_nbd", True, 1)
    assert model.message_ == f"BG/NBD is used: {alone.message_}"
    assert (model.alive_probability(X) == alone.alive_probability(X)).all()
    assert (model.expected_purchases(X, horizon=39) == alone.expected_purchases(X, horizon=39)).all()
    assert (model.no_purchase_probability(X, horizon=39) == alone.no_purchase_probability(X, horizon=39)).all()


def test_the_order_asked_for_is_the_order_tried() -> None:
    model = PurchaseModel(families=("pareto_nbd", "bg_nbd")).fit(cdnow_histories()[:, :3])
    assert (model.family_, [trial.family for trial in model.tried_]) == ("pareto_nbd", ["pareto_nbd"])


def test_a_refused_family_is_named_with_its_reason_and_the_next_one_is_used() -> None:
    model = PurchaseModel().fit(leaving_alike())
    assert not model.tried_[0].is_sound
    assert model.is_sound_
    assert model.family_ == model.tried_[-1].family != "bg_nbd"
    assert f"BG/NBD was refused: {model.tried_[0].message}" in model.message_


@pytest.mark.parametrize("family", [BgNbd, MbgNbd, ParetoNbd])
def test_nobody_dropping_out_is_sound_and_said(family: type[BgNbd | ParetoNbd]) -> None:
    model = family().fit(loyal())
    assert model.is_sound_
    assert "Nobody seems to drop out" in model.message_


@pytest.mark.parametrize(
    "X",
    [
        [[3, 20, 50]],
        [[0, 0, 50]],
        [[0, 0, T] for T in range(1, 90)],
        [[4, 30, 50]] * 40,
        [[0, 0, 0]] * 9,
        [[2, 0, 0]] * 9,
    ],
    ids=["one", "one new", "all once", "identical", "all today", "thrice today"],
)
def test_where_no_family_is_sound_the_likeliest_is_the_last_resort_and_it_says_so(X: list[list[float]]) -> None:
    model = PurchaseModel().fit(X)
    assert not model.is_sound_
    assert [trial.family for trial in model.tried_] == list(FAMILIES)
    assert model.message_.startswith("No purchase model fits these customers soundly.")
    assert np.isfinite(model.expected_purchases(X, horizon=90)).all()
    for chance in (model.alive_probability(X), model.no_purchase_probability(X, horizon=90)):
        assert ((chance >= 0) & (chance <= 1)).all()


def test_amounts_are_sound_unless_they_are_all_alike() -> None:
    random = np.random.default_rng(0)
    x = random.integers(1, 12, 4000)
    z = random.gamma(5.0 * x, 1 / random.gamma(4.0, 1 / 20.0, 4000)) / x
    assert GammaGamma().fit(np.column_stack([x, z])).is_sound_
    assert not GammaGamma().fit([[3, 20.0]] * 50).is_sound_


@pytest.mark.parametrize("families", [(), ("bg_nbd", "poisson")])
def test_unknown_families_are_refused(families: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="families must be some of"):
        PurchaseModel(families=families).fit([[3, 20, 50]])
