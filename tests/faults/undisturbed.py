"""A run that faults are compared with: what its stages are, when each began, and how long it took."""

import re
from dataclasses import dataclass

STAGES = {
    "ingest": None,
    "marts": "raw.source_settings",
    "train": "marts.",
    "score": "ml.clv_model",
    "reports": "ml.model_warnings",
    "publish": "reports.",
}
"""Each stage by the begin of the line after which it runs; dbt tells its lines when it has ended."""
LINE = re.compile(r"^\s*([\d.]+) s  (\S+)")


@dataclass(frozen=True)
class Stage:
    """A stretch of a run, in seconds from the first line on."""

    name: str
    after: str | None
    seconds: float


def stages(log: str) -> list[Stage]:
    """The stages of a run from what it told while it went on."""
    told = [(float(found[1]), found[2]) for found in map(LINE.match, log.splitlines()) if found]
    begins = [
        0.0 if after is None else next(at for at, name in told if name.startswith(after)) for after in STAGES.values()
    ]
    ends = [*begins[1:], told[-1][0]]
    lengths = [max(0.1, end - begin) for begin, end in zip(begins, ends, strict=True)]
    return [Stage(name, after, length) for (name, after), length in zip(STAGES.items(), lengths, strict=True)]
