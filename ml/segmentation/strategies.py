"""All strategies behind the same four functions, as a source file configures them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import polars as pl

from ml.segmentation import behavioural, demographic, geographic, lifecycle, own_rules, rfm, value
from ml.segmentation.definitions import Background, sample
from ml.segmentation.resampling import Stability, stability

NAMES: Final = ("rfm", "lifecycle", "value", "behavioural", "demographic", "geographic")
SAMPLE: Final = 5000


@dataclass(frozen=True)
class Strategy:
    """One way to divide customers; see the package for what its functions do."""

    name: str
    fit: Callable[[pl.DataFrame, Background], pl.DataFrame]
    assign: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]
    words: Callable[[pl.DataFrame], dict[str, str]]
    refit: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]

    def stability(self, customers: pl.DataFrame, definition: pl.DataFrame, *, seed: int) -> Stability:
        """Whether the segments come back when the same division is made of customers drawn again."""
        some = sample(customers, SAMPLE)

        def divide(drawn: pl.DataFrame, everyone: pl.DataFrame) -> pl.Series:
            return self.assign(everyone, self.refit(drawn, definition))["segment"]

        return stability(some, self.assign(some, definition)["segment"], divide, seed=seed)


@dataclass(frozen=True)
class Configuration:
    """What a source file says of segments: which strategies, their cut points, limits, and rules of its own by name."""

    strategies: Sequence[str] = NAMES
    rfm_quantiles: Sequence[float] = rfm.QUANTILES
    rfm_fixed: Mapping[str, Sequence[float]] | None = None
    value_quantiles: Sequence[float] = value.QUANTILES
    at_risk: float = value.AT_RISK
    limits: behavioural.Limits = behavioural.LIMITS
    own_rules: Mapping[str, Mapping[str, str]] | None = None


def strategies(configured: Configuration) -> list[Strategy]:
    """The configured strategies, in the order of NAMES, the source file's own last."""
    quantiles, smallest = configured.value_quantiles, configured.limits.customer_share
    fits: dict[str, Callable[..., pl.DataFrame]] = {
        "rfm": partial(rfm.fit, quantiles=configured.rfm_quantiles, fixed=configured.rfm_fixed),
        "value": partial(value.fit, quantiles=quantiles, at_risk=configured.at_risk),
        "behavioural": partial(behavioural.fit, limits=configured.limits),
        "demographic": partial(demographic.fit, smallest_share=smallest),
        "geographic": partial(geographic.fit, smallest_share=smallest),
    }
    known = {
        module.STRATEGY: Strategy(
            module.STRATEGY,
            fits.get(module.STRATEGY, module.fit),
            module.assign,
            module.words,
            module.refit,
        )
        for module in (rfm, lifecycle, value, behavioural, demographic, geographic)
    }
    own = [
        Strategy(
            name,
            partial(own_rules.fit, strategy=name, rules=rules),
            partial(own_rules.assign, strategy=name),
            partial(own_rules.words, strategy=name),
            own_rules.refit,
        )
        for name, rules in (configured.own_rules or {}).items()
    ]
    return [known[name] for name in NAMES if name in configured.strategies] + own
