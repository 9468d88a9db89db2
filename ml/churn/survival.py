"""Time to the end of a contract as a survival problem: proportional hazards over the contract's age (Cox 1972).

What goes in belongs to `ml.churn.contract_inputs`; the days until a contract ended come from `ml.contracts`.
"""

import warnings
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, clone

from ml.churn.contract_inputs import ContractInputs
from ml.sums import row_sums

Array = npt.NDArray[np.float64]

AGE: Final = "contract_tenure_days"
_LEAST: Final = 0.05  # of the average hazard, at ages at which nobody was seen to leave


class SurvivalChurn(BaseEstimator):
    """P(end within the horizon | running at age t) = 1 - S(t + h | x) / S(t | x) under a ridge-penalised Cox model.

    Contracts enter the risk set at the age at which they were first looked at, so that those which ended before are
    not taken for absent (left truncation), and leave it after `days_to_end` days, by an end or because nobody looked
    any longer. With baseline H, log(-log(1 - P)) = log(H(t + h) - H(t)) + beta x: on this scale the score is exactly
    one term for the age and one for each other feature.
    """

    is_additive: ClassVar[bool] = True

    def __init__(
        self, *, inputs: Any = None, horizon_days: int = 90, penalty: float = 0.001, maximum_rows: int = 20_000
    ) -> None:
        self.inputs = inputs
        self.horizon_days = horizon_days
        self.penalty = penalty
        self.maximum_rows = maximum_rows

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:
        """Fit on past cut-offs stacked, with `days_to_end` beside the features; some must have churned.

        Of more than `maximum_rows` an even part is taken, in the order of rows.
        """
        step = -(-len(churned) // self.maximum_rows)
        features, churned = features.gather_every(step), churned[::step]
        entry = features[AGE].cast(pl.Float64).to_numpy()
        duration = entry + np.maximum(features["days_to_end"].cast(pl.Float64).to_numpy(), 0.5)
        self.inputs_ = clone(self.inputs or ContractInputs()).fit(features.drop(AGE), churned)
        self.names_ = [AGE, *self.inputs_.names_]
        matrix = self.inputs_.transform(features)
        missing = np.isnan(matrix).all(axis=0)
        self.middle_ = np.where(missing, 0.0, np.nanmedian(np.where(missing, 0.0, matrix), axis=0))
        matrix = self._filled(matrix)
        varies = np.ptp(matrix, axis=0) > 0
        self.centre_, self.scale_ = matrix.mean(axis=0), np.where(varies, matrix.std(axis=0), 1.0)
        standard = (matrix - self.centre_) / self.scale_
        self.weights_ = np.zeros(matrix.shape[1])
        if varies.any():
            self.weights_[varies] = _cox(standard[:, varies], entry, duration, churned, penalty=self.penalty)
        self.days_, self.hazard_ = _breslow(np.exp(standard @ self.weights_), entry, duration, churned)
        self.last_ = float(max(0.0, duration.max() - self.horizon_days))
        self.least_ = 1e-9
        self.least_ = max(1e-9, _LEAST * float(self._hazard_ahead(entry).mean()))
        self.average_ = 0.0
        self.average_ = float(self._age_term(features).mean())
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """What the model looks at, in plain units, a row per customer."""
        others: pl.DataFrame = self.inputs_.values(features)
        return pl.DataFrame([features[AGE].cast(pl.Float64), *others])

    def terms(self, features: pl.DataFrame, *, is_exact: bool = True) -> Array:  # noqa: ARG002 - always exact
        """Log cumulative hazard of the horizon against the average training customer, shape (customers, features)."""
        folded = np.zeros((features.height, len(self.names_)))
        folded[:, 0] = self._age_term(features)
        parts = (self._filled(self.inputs_.transform(features)) - self.centre_) / self.scale_ * self.weights_
        for column, owner in zip(parts.T, self.inputs_.owners_, strict=True):
            folded[:, 1 + owner] += column
        return folded

    def score(self, features: pl.DataFrame) -> Array:
        """Log cumulative hazard of the horizon against the average training customer, one a customer."""
        return row_sums(self.terms(features))

    def end_probability(self, features: pl.DataFrame) -> Array:
        """The model's own probability of an end within the horizon, before any calibration, one a customer."""
        found: Array = -np.expm1(-np.exp(self.score(features) + self.average_))
        return found

    def _age_term(self, features: pl.DataFrame) -> Array:
        return np.log(self._hazard_ahead(features[AGE].cast(pl.Float64).to_numpy())) - self.average_

    def _hazard_ahead(self, age: Array) -> Array:
        """Baseline hazard of the horizon ahead; nobody was seen older than the oldest, whose hazard lasts."""
        start = np.minimum(age, self.last_)
        ahead = self._cumulative(start + self.horizon_days) - self._cumulative(start)
        return np.asarray(ahead + self.least_, dtype=np.float64)

    def _cumulative(self, age: Array) -> Array:
        return np.concatenate([[0.0], self.hazard_])[np.searchsorted(self.days_, age, side="right")]

    def _filled(self, matrix: Array) -> Array:
        return np.where(np.isnan(matrix), self.middle_, matrix)


def _cox(matrix: Array, entry: Array, duration: Array, ended: Array, *, penalty: float) -> Array:
    """Coefficients of the penalised partial likelihood with late entry, Efron's way with ties; pandas stays in here.

    Where the likelihood has no maximum to be found they are all 0: age alone is left, and the contest will tell.
    """
    from lifelines import CoxPHFitter  # seconds that only fitting needs
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    columns = {f"x{number}": column for number, column in enumerate(matrix.T)}
    frame = pl.DataFrame(columns | {"entry": entry, "duration": duration, "ended": ended}).to_pandas()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            fitted = CoxPHFitter(penalizer=penalty).fit(frame, "duration", "ended", entry_col="entry")
        except ConvergenceError:
            return np.zeros(matrix.shape[1])
    return np.asarray(fitted.params_[list(columns)].to_numpy(), dtype=np.float64).round(9)


def _breslow(risk: Array, entry: Array, duration: Array, ended: Array) -> tuple[Array, Array]:
    """Ages at which contracts ended and the cumulative baseline hazard from there on (Breslow 1974).

    At risk at an age are those who entered before it and have not left.
    """
    days, ends = np.unique(duration[ended > 0], return_counts=True)

    def risk_from(moments: Array) -> Array:
        order = np.argsort(moments, kind="stable")
        left = np.concatenate([np.cumsum(risk[order][::-1])[::-1], [0.0]])
        return np.asarray(left[np.searchsorted(moments[order], days, side="left")], dtype=np.float64)

    at_risk = risk_from(duration) - risk_from(entry)
    return days.astype(np.float64), np.cumsum(ends / np.maximum(at_risk, risk.min()))
