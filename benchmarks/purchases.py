"""Our fit of BG/NBD beside that of lifetimes, on the same simulated customers in the same run.

`python -m benchmarks.purchases 1000000` asks for a million customers.
"""

import sys
from functools import partial

import numpy as np
import numpy.typing as npt
from lifetimes import BetaGeoFitter

from benchmarks.clock import timed
from ml.btyd.beta_geometric import Likelihood
from ml.btyd.bg_nbd import BgNbd

Array = npt.NDArray[np.float64]
_SAMPLE = 50  # one customer in so many gives lifetimes a start


def customers(count: int, *, whole_days: bool, seed: int = 0) -> Array:
    """x, t_x and T in days of customers who joined over two years, simulated from BG/NBD's assumptions."""
    random = np.random.default_rng(seed)
    T = random.uniform(30, 730, count)
    rate = random.gamma(0.8, 1 / 40, count)
    most = random.geometric(np.clip(random.beta(0.8, 2.5, count), 1e-12, 1))
    x, t_x, active = np.zeros(count), np.zeros(count), np.arange(count)
    while len(active):
        following = t_x[active] + random.exponential(1, len(active)) / rate[active]
        goes_on = (following <= T[active]) & (x[active] < most[active])
        active = active[goes_on]
        t_x[active] = following[goes_on]
        x[active] += 1
    if whole_days:
        T, t_x = np.floor(T), np.floor(t_x)
    return np.column_stack([x, t_x, T])


def main(count: int = 200_000) -> None:
    """Print seconds and ratios: ours is the best of three, lifetimes once from nothing and once from a sample's fit."""
    print(f"\nBG/NBD, {count:,} customers: seconds, and how many times ours (log-likelihood less ours)")
    print(f"{'times':<14}{'ours':>8}{'lifetimes':>22}{'lifetimes, warm start':>26}")
    for name, whole_days in (("whole days", True), ("to the second", False)):
        X = customers(count, whole_days=whole_days)
        ours, model = min((timed(partial(BgNbd().fit, X)) for _ in range(3)), key=lambda run: run[0])
        sample = BetaGeoFitter().fit(*X[::_SAMPLE].T)
        r, alpha, a, b = sample.params_[["r", "alpha", "a", "b"]]
        scale = 10 / X[:, 2].max()  # lifetimes makes the longest time 10
        start = np.log([r, alpha * scale, a, b])
        line = f"{name:<14}{ours:>8.2f}"
        for options in ({}, {"initial_params": start}):
            theirs, fitter = timed(partial(BetaGeoFitter().fit, *X.T, **options))
            reached, _ = Likelihood(*X.T).mean_and_gradient(fitter.params_[["r", "alpha", "a", "b"]].to_numpy())
            less = reached * count - model.log_likelihood_
            line += f"{theirs:>9.2f} {theirs / ours:>5.0f}x ({less:+.3f})"
        print(line)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
