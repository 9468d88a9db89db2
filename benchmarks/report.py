"""The figures of all sizes as tables: printed, and in docs/scale.md between its markers, with the plot beside them."""

import math
import subprocess
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.goals import GOALS, PAIRS, Pair, start_up
from benchmarks.process import python
from benchmarks.results import Results, everything

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
BEGIN, END = "<!-- measured: begin, written by make bench -->", "<!-- measured: end -->"
TOP = 12  # steps and models that are shown


def write() -> None:
    """Print the tables, put them into the page, and draw the plot in a process of its own."""
    sizes = everything()
    text = "\n\n".join(_sections(sizes))
    print(f"\n{text}")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    subprocess.run(python("benchmarks.plot"), check=True)  # noqa: S603 - our own words


def _sections(sizes: list[Results]) -> Iterable[str]:
    yield _goals(sizes)
    for results in reversed(sizes):
        yield _stages(results)
    if len(sizes) > 1:
        yield _doubling(sizes)
    with_runs = [results for results in sizes if results.told("run.first")]
    if with_runs:
        yield _steps(with_runs[-1])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first two are numbers where they begin with a digit."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _goals(sizes: list[Results]) -> str:
    header = ["work", "goal"]
    for results in sizes:
        header += [results.size, "of the goal"]
    rows = []
    for goal in GOALS:
        row = [goal.work, goal.goal]
        for results in sizes:
            value = goal.measured(results)
            row += ["", ""] if value is None else [f"{number(value)} {goal.unit}", f"{goal.ratio(value):.2f}"]
        rows.append(row)
    told = "Held against the goals; in the columns `of the goal`, 1 is the goal and more is missed."
    return f"{told}\n\n{table(header, rows)}"


def _stages(results: Results) -> str:
    header = [
        "work",
        "CPU s",
        "wall s",
        "readings",
        "largest process GiB",
        "all at once GiB",
        "the least: CPU s",
        "ratio",
        "of what",
    ]
    rows = []
    for pair in PAIRS:
        ours, floor = results.seconds(*pair.ours), results.seconds(*pair.floor) if pair.floor else None
        if ours is None:
            continue
        taken = [results.measured[name] for name in pair.ours]
        wall = sum(one["told"].get("work_wall", one["wall"]) for one in taken)
        memory = [f"{max(one[name] for one in taken):.2f}" for name in ("peak_process", "peak_tree")]
        beside = ["", "", ""] if floor is None else [number(floor), _ratio(pair, ours, floor), pair.floor_name]
        rows.append([pair.name, number(ours), number(wall), _readings(taken), *memory, *beside])
    machine, start = results.machine, start_up(results)
    software = ", ".join(f"{name} {version}" for name, version in machine["software"].items())
    told = (
        f"**{results.size}**: {results.customers:,} customers, {results.lines:,} lines; {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, load {machine['load']} meanwhile, "
        f"Python {machine['python']}, {software}."
    )
    if start is not None:
        told += f" Start-up of a run, counted apart from stages: {number(start)} CPU s."
    return f"{told}\n\n{table(header, rows)}"


def _readings(taken: list[dict[str, Any]]) -> str:
    """How many readings the figure is the median of, and how far the lowest and highest lie apart, in percent of it."""
    found = [one["told"].get("readings", []) for one in taken]
    if any(len(readings) < 2 for readings in found):
        return "1"
    low, middle, high = (sum(sorted(one)[at] for one in found) for at in (0, 1, -1))
    return f"{len(found[0])}, ±{(high - low) / 2 / middle:.0%}"


def _ratio(pair: Pair, ours: float, floor: float) -> str:
    """How many times the floor; where the floor is the slower one, how many times faster."""
    if not ours or not floor:
        return ""
    is_faster = floor > 2 * ours and pair.floor_name.startswith("lifetimes")
    return f"{floor / ours:.0f} times faster" if is_faster else f"{ours / floor:.2f}"


def _doubling(sizes: list[Results]) -> str:
    header = ["cost of twice the rows", *(f"{small.size} to {large.size}" for small, large in _steps_up(sizes))]
    rows = []
    for name, names in [(pair.name, pair.ours) for pair in PAIRS] + [
        (f"the least: {pair.name} ({pair.floor_name})", pair.floor) for pair in PAIRS if "floor" in str(pair.floor)
    ]:
        costs = [_factor(small, large, names) for small, large in _steps_up(sizes)]
        if any(costs):
            rows.append([name, *costs])
    return (
        f"CPU seconds when rows double: 2 is linear, less means that fixed costs still show.\n\n{table(header, rows)}"
    )


def _steps_up(sizes: list[Results]) -> list[tuple[Results, Results]]:
    return list(pairwise(sizes))


def _factor(small: Results, large: Results, names: tuple[str, ...]) -> str:
    before, after = small.seconds(*names), large.seconds(*names)
    if not before or not after:
        return ""
    return f"{(after / before) ** (1 / math.log2(large.lines / small.lines)):.2f}"


def _steps(results: Results) -> str:
    told = results.told("run.first")
    steps = sorted(told["steps"].items(), key=lambda step: -step[1]["cpu"])[:TOP]
    models = sorted(told["models"].items(), key=lambda model: -model[1])[:TOP]
    rows = [[name.replace("__", "."), number(taken["cpu"]), number(taken["wall"])] for name, taken in steps]
    slow = [[name, number(seconds)] for name, seconds in models]
    return (
        f"Where the first run of {results.size} spends its time, by Dagster's event log:\n\n"
        f"{table(['step', 'CPU s', 'wall s'], rows)}\n\n{table(['model of dbt', 'wall s'], slow)}"
    )


def number(value: float) -> str:
    """A number with the digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
