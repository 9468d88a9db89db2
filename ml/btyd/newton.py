"""Newton's method from a good start, for likelihoods whose second derivatives are known.

The way to a start belongs to `likelihood`, which is also what is left where Newton makes no progress.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from ml.btyd.likelihood import Fit

Array = npt.NDArray[np.float64]

_MOST_STEPS: Final = 40
_LONGEST_STEP: Final = 1.0  # in log parameters
_LAST_STEP: Final = 3e-3  # what is left after a step so short is about its square
_MARGIN: Final = 1e-2
_SLACK: Final = 1e-12
_FLAT: Final = 1e-9  # curvature that the parameters are not known by


def polish(
    objective: Callable[[Array], tuple[float, Array, Array]], *, start: Array, bounds: dict[str, tuple[float, float]]
) -> Fit | None:
    """The maximum uphill of `start` in log parameters, or None where steps do not lead to one within the bounds.

    `objective` takes parameters and gives the mean log-likelihood, its gradient and its Hessian. Where that is no
    hilltop's, steps go uphill along each of its axes all the same; a step that loses is halved. Of the last step
    the gain is taken from the parabola, which is off by about 1e-10 a customer.
    """
    logs = np.log(np.array(list(bounds.values())))
    at, before, step = np.log(start), -np.inf, np.zeros(len(start))
    for _ in range(_MOST_STEPS):
        parameters = np.exp(at)
        value, slopes, curves = objective(parameters)
        if not np.isfinite(value) or value < before - _SLACK * abs(before):
            step = step / 2
            at = at - step
            continue
        gradient = slopes * parameters
        curvature, axes = np.linalg.eigh(curves * np.outer(parameters, parameters) + np.diag(gradient))
        gain, bend = axes.T @ gradient, np.maximum(np.abs(curvature), _FLAT)
        step = axes @ (gain / bend)
        step *= min(1.0, _LONGEST_STEP / float(np.abs(step).max() or 1.0))
        at, before = at + step, value
        if (at < logs[:, 0] + _MARGIN).any() or (at > logs[:, 1] - _MARGIN).any():
            return None
        if np.abs(step).max() < _LAST_STEP:
            if curvature.max() > -_FLAT:
                return None
            value += float((gain * gain / bend).sum()) / 2
            return Fit(np.exp(at), value, converged=True, message="The likelihood has a clear maximum.")
    return None
