"""Newton's method from a good start, for likelihoods whose second derivatives are known.

The way to a start belongs to `likelihood`, which is also what is left where Newton makes no progress.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from ml.btyd.likelihood import Fit

Array = npt.NDArray[np.float64]

_MOST_STEPS: Final = 12
_LONGEST_STEP: Final = 0.7  # in log parameters
_LAST_STEP: Final = 1e-5  # what is left after a step so short is its square
_MARGIN: Final = 1e-2
_SLACK: Final = 1e-12


def polish(
    objective: Callable[[Array], tuple[float, Array, Array]], *, start: Fit, bounds: dict[str, tuple[float, float]]
) -> Fit | None:
    """The maximum near `start` in log parameters, or None where steps do not lead up to one within the bounds.

    `objective` takes parameters and gives the mean log-likelihood, its gradient and its Hessian. Of the last step
    the gain is taken from the parabola, which is exact to far more digits than the sum over customers.
    """
    logs = np.log(np.array(list(bounds.values())))
    at, before = np.log(start.parameters), -np.inf
    for _ in range(_MOST_STEPS):
        parameters = np.exp(at)
        value, slopes, curves = objective(parameters)
        gradient = slopes * parameters
        hessian = curves * np.outer(parameters, parameters) + np.diag(gradient)
        if not np.isfinite(hessian).all() or value < before - _SLACK * abs(value):
            return None
        try:
            root = np.linalg.cholesky(-hessian)
        except np.linalg.LinAlgError:
            return None
        step = np.linalg.solve(root.T, np.linalg.solve(root, gradient))
        step *= min(1.0, _LONGEST_STEP / float(np.abs(step).max() or 1.0))
        at, before = at + step, value
        if (at < logs[:, 0] + _MARGIN).any() or (at > logs[:, 1] - _MARGIN).any():
            return None
        if np.abs(step).max() < _LAST_STEP:
            gain = float(gradient @ step + step @ hessian @ step / 2)
            return Fit(np.exp(at), value + gain, converged=True, message="The likelihood has a clear maximum.")
    return None
