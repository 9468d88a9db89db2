"""Interim."""

from sklearn.base import BaseEstimator
from ml.btyd.bg_nbd import BgNbd
from ml.btyd.mbg_nbd import MbgNbd
from ml.btyd.pareto_nbd import ParetoNbd

FAMILIES = {"bg_nbd": BgNbd, "mbg_nbd": MbgNbd, "pareto_nbd": ParetoNbd}


class PurchaseModel(BaseEstimator):
    def __init__(self, families=("bg_nbd", "mbg_nbd", "pareto_nbd")):
        self.families = families

    def fit(self, X, y=None):
        self.tried_ = []
        for f in self.families:
            m = FAMILIES[f]().fit(X)
            s = m.converged_ and "edge" not in m.message_
            self.tried_.append((f, s, m.message_))
            self.family_, self.model_, self.message_ = f, m, m.message_
            self.is_sound_ = s
            if s:
                break
        return self

    def alive_probability(self, X):
        return self.model_.alive_probability(X)

    def expected_purchases(self, X, *, horizon):
        return self.model_.expected_purchases(X, horizon=horizon)

    def no_purchase_probability(self, X, *, horizon):
        return self.model_.no_purchase_probability(X, horizon=horizon)
