"""Seconds on the clock; on a shared machine only their ratios within one run mean something."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def timed(work: Callable[[], Found]) -> tuple[float, Found]:
    """Seconds of one run, and what came of it."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def best(work: Callable[[], object], *, times: int = 3) -> float:
    """Seconds of the fastest of some runs."""
    return min(timed(work)[0] for _ in range(times))
