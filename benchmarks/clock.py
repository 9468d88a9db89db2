"""Seconds; on a shared machine only the ratios within one run mean something, of CPU seconds above all."""

import json
import resource
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Found = TypeVar("Found")


def timed(work: Callable[[], Found]) -> tuple[float, Found]:
    """Wall seconds of one run, and what came of it."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def cpu() -> float:
    """User and system seconds of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def alone(work: Callable[[], Mapping[str, Any] | None]) -> None:
    """Do the one piece of work of this process and print its seconds, apart from those of getting ready, as JSON."""
    ready, begin = cpu(), time.perf_counter()
    told = {**(work() or {})}
    print(json.dumps({"ready_cpu": ready, "work_cpu": cpu() - ready, "work_wall": time.perf_counter() - begin} | told))
