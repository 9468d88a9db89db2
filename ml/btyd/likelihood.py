"""Maximum likelihood over positive parameters, for the estimators of this package.

The likelihoods themselves do not belong here.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Array = npt.NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]

_BOUND_MARGIN: Final = 1e-3
_GRADIENT_TOLERANCE: Final = 1e-5
_SAME_LIKELIHOOD: Final = 1e-10
_SAME_PARAMETERS: Final = 0.5


class Fit(NamedTuple):
    """Parameters of the highest mean log-likelihood found, if that is a maximum, and a sentence on it.

    `unclear` are the parameters at a bound, and those that differ widely between equally good climbs.
    """

    parameters: Array
    mean_log_likelihood: float
    converged: bool
    message: str
    unclear: frozenset[str] = frozenset()

    def is_sound(self, *, nobody_leaves: bool = False, of_leaving: Sequence[str] = ()) -> bool:
        """Converged, with every parameter known: none at a bound and none that could as well be quite another.

        Where nobody leaves, the parameters of leaving (`of_leaving`) may be anything: what is left is the
        negative binomial model, which is a proper one, and its predictions do not depend on them. At any other
        bound the family does not describe these customers: rates that are all alike or all but zero, chances
        of leaving that are 0 or 1, or a population's mean without limit.
        """
        allowed = frozenset(of_leaving) if nobody_leaves else frozenset[str]()
        return self.converged and self.unclear <= allowed


def maximise(
    objective: Objective, *, starts: Sequence[Sequence[float] | Array], bounds: dict[str, tuple[float, float]]
) -> Fit:
    """The best of several L-BFGS-B climbs in log parameters.

    `objective` takes parameters and gives the mean log-likelihood a customer and its gradient. Converged
    means that the gradient vanishes, except where it pushes against a bound; a parameter at its bound is
    named in the message.
    """
    logs = np.log(np.array(list(bounds.values())))

    def descend(log_parameters: Array) -> tuple[float, Array]:
        parameters = np.exp(log_parameters)
        value, gradient = objective(parameters)
        return -value, -gradient * parameters

    options = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-15, "gtol": 1e-9}
    climbs = [
        minimize(
            descend,
            np.clip(np.log(start), *logs.T),
            jac=True,
            method="L-BFGS-B",
            bounds=logs,
            options=options,
        )
        for start in starts
    ]
    best = min(climbs, key=lambda climb: climb.fun)
    stuck = np.abs(best.x - np.clip(best.x - best.jac, *logs.T)).max()
    converged = bool(np.isfinite(best.fun) and stuck < _GRADIENT_TOLERANCE)
    at_lower, at_upper = best.x - logs[:, 0] < _BOUND_MARGIN, logs[:, 1] - best.x < _BOUND_MARGIN
    edges = [
        f"{name} at its {'lower' if low else 'upper'} bound"
        for name, low, high in zip(bounds, at_lower, at_upper, strict=True)
        if low or high
    ]
    message = "The likelihood has a clear maximum." if converged else "The climb stopped short of a maximum."
    level = [climb.x for climb in climbs if climb.fun - best.fun < _SAME_LIKELIHOOD]
    apart = np.ptp(level, axis=0) > _SAME_PARAMETERS
    if apart.any():
        message = "The likelihood is flat: quite different parameters explain these customers as well."
    if edges:
        message = f"The likelihood is highest at the edge of what is allowed: {', '.join(edges)}."
    unclear = frozenset(name for name, doubt in zip(bounds, apart | at_lower | at_upper, strict=True) if doubt)
    return Fit(np.exp(best.x), -float(best.fun), converged, message, unclear)
