"""Behaviour: customers who buy alike, found by k-means on scaled measures; how many groups there are is a question of
whether they come back in resamples, are of some size, and differ in what they bring next.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from ml.segmentation.behaviour_measures import SETS, SHARES, Array, average_shares, in_words, measure
from ml.segmentation.definitions import NOTHING, Background, Withheld, define, of_strategy, sample
from ml.segmentation.naming import continued
from ml.segmentation.resampling import Stability, stability
from ml.segmentation.separation import separation

STRATEGY: Final = "behavioural"
SAMPLE: Final = 5000
MINIMUM_CUSTOMERS: Final = 100
STABLE_RAND: Final = 0.8
STABLE_JACCARD: Final = 0.75
"""Below, a cluster is a pattern that does not come back (Hennig 2007)."""
CLEAR_JACCARD: Final = 0.95
"""From here on a structure is so clear that no poorer set of measures is asked."""
GOOD_SHARE: Final = 0.85
"""Of the best score; of divisions about as good the one with most segments says most."""


@dataclass(frozen=True)
class Limits:
    """What segments must be to be published."""

    most_segments: int = 8
    stable_rand: float = STABLE_RAND
    customer_share: float = 0.02
    revenue_share: float = 0.01


LIMITS: Final = Limits()


@dataclass(frozen=True)
class _Clusters:
    """k-means on some measures: `centres` in standard deviations from the average, shape (clusters, measures)."""

    names: tuple[str, ...]
    shares: dict[str, float]
    average: Array
    spread: Array
    centres: Array

    def labels(self, customers: pl.DataFrame) -> pl.Series:
        scaled = (measure(customers, self.names, self.shares) - self.average) / self.spread
        distances = np.stack([((scaled - centre) ** 2).sum(axis=1) for centre in self.centres], axis=1)
        return pl.Series("cluster", distances.argmin(axis=1).astype(np.int64), dtype=pl.Int64)


@dataclass(frozen=True)
class _Candidate:
    clusters: _Clusters
    stability: Stability
    separation: float

    @property
    def score(self) -> float:
        return self.stability.rand * max(0.0, self.separation)


def fit(customers: pl.DataFrame, background: Background = NOTHING, *, limits: Limits = LIMITS) -> pl.DataFrame:
    """The clusters that are stable, substantial and tell most about what customers bring next.

    As many as before, on the same measures, as long as they hold; else of all numbers and sets of measures that hold
    the best by stability times separation, or the finest about as good. Clusters too small to stand alone are joined to
    their neighbours.

    Raises:
        Withheld: too few customers, or no division comes back when customers are drawn again.
    """
    if customers.height < MINIMUM_CUSTOMERS:
        raise Withheld("not_carried", f"{customers.height} customers, of {MINIMUM_CUSTOMERS} needed")
    some = sample(customers, SAMPLE)
    known = None if background.previous is None else _clusters(background.previous)
    with threadpool_limits(1):  # the same digits on any machine
        if known is not None and known.names:
            clusters = _found(some, known.names, len(known.centres), start=known, limits=limits)
            again = _tried(some, clusters, background, limits)
            if again is not None and again.stability.rand >= limits.stable_rand:
                return _defined(customers, again, background)
        found = list(_candidates(some, background, limits))
    holding = [one for one in found if _holds(one, limits)]
    if not found:
        raise Withheld("not_carried", "all customers behave alike")
    if not holding:
        best = max(one.stability.rand for one in found)
        raise Withheld(
            "withheld",
            f"no division comes back when customers are drawn again: adjusted Rand index at best {best:.2f}, "
            f"{limits.stable_rand:g} needed, each segment by itself {STABLE_JACCARD:g} (Jaccard)",
        )
    best_score = max(one.score for one in holding)
    good = [one for one in holding if one.score >= GOOD_SHARE * best_score]
    return _defined(customers, max(good, key=lambda one: (len(one.clusters.centres), one.score)), background)


def refit(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """As many clusters on the same measures of other customers, from nothing."""
    known = _clusters(definition)
    with threadpool_limits(1):
        found = _kmeans(sample(customers, SAMPLE), known.names, len(known.centres), seed=1)
    return _rows(customers, found, [f"cluster_{number}" for number in range(len(found.centres))])


def assign(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """The segment of each customer, in their order: the nearest centre's."""
    segments = _segments(definition)
    found = _clusters(definition).labels(customers)
    return customers.select(
        "as_of_date",
        "customer_id",
        strategy=pl.lit(STRATEGY),
        segment=found.replace_strict(dict(enumerate(segments)), return_dtype=pl.String),
    )


def words(definition: pl.DataFrame) -> dict[str, str]:
    """What sets each segment apart: its three strongest measures, as its typical customer and everyone's have them."""
    clusters = _clusters(definition)
    texts = {}
    for segment, centre in zip(_segments(definition), clusters.centres, strict=True):
        strongest = sorted(range(len(centre)), key=lambda place: (-abs(centre[place]), clusters.names[place]))[:3]
        said = []
        for place in strongest:
            name, average, spread = clusters.names[place], clusters.average[place], clusters.spread[place]
            said.append(in_words(name, average + centre[place] * spread, average))
        texts[segment] = "; ".join(said)
    return texts


def _candidates(some: pl.DataFrame, background: Background, limits: Limits) -> Iterator[_Candidate]:
    """Every number of clusters on every set of measures, until a set shows a clear structure."""
    for names in _usable_sets(some):
        found = []
        for count in range(2, limits.most_segments + 1):
            one = _tried(some, _found(some, names, count, start=None, limits=limits), background, limits)
            if one is not None:
                found.append(one)
        yield from found
        if any(_holds(one, limits) and _is_clear(one) for one in found):
            return


def _holds(one: _Candidate, limits: Limits) -> bool:
    surely = one.stability.rand - 2 * one.stability.error  # so that it still holds when it is looked at again
    return surely >= limits.stable_rand and one.stability.weakest >= STABLE_JACCARD


def _is_clear(one: _Candidate) -> bool:
    return len(one.clusters.centres) > 2 and one.stability.weakest >= CLEAR_JACCARD


def _tried(some: pl.DataFrame, clusters: _Clusters, background: Background, limits: Limits) -> _Candidate | None:
    if len(clusters.centres) < 2:
        return None
    count = len(clusters.centres)

    def divide(drawn: pl.DataFrame, customers: pl.DataFrame) -> pl.Series:
        return _found(drawn, clusters.names, count, start=None, limits=limits, tries=3).labels(customers)

    labels = clusters.labels(some)
    seen = some.with_columns(future_amount="monetary_amount") if background.past is None else background.past
    apart = separation(clusters.labels(seen), seen["future_amount"])
    return _Candidate(clusters, stability(some, labels, divide, seed=background.seed, least=limits.stable_rand), apart)


def _found(
    some: pl.DataFrame, names: tuple[str, ...], count: int, *, start: _Clusters | None, limits: Limits, tries: int = 10
) -> _Clusters:
    """k-means, less the clusters that are too small in customers or in revenue."""
    clusters = _kmeans(some, names, count, start=start, tries=tries)
    revenue = some["monetary_amount"].clip(lower_bound=0)
    sizes = (
        pl.DataFrame({"cluster": clusters.labels(some), "revenue": revenue})
        .group_by("cluster")
        .agg(customers=pl.len() / some.height, revenue=pl.col("revenue").sum() / (revenue.sum() or 1))
    )
    is_large = pl.col("customers") >= limits.customer_share
    if revenue.sum() > 0:
        is_large &= pl.col("revenue") >= limits.revenue_share
    large = sorted(sizes.filter(is_large)["cluster"])
    return _Clusters(clusters.names, clusters.shares, clusters.average, clusters.spread, clusters.centres[large])


def _kmeans(
    some: pl.DataFrame,
    names: tuple[str, ...],
    count: int,
    *,
    start: _Clusters | None = None,
    tries: int = 10,
    seed: int = 0,
) -> _Clusters:
    shares = average_shares(some)
    measured = measure(some, names, shares)
    average, spread = measured.mean(axis=0), measured.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    how: dict[str, Any] = {"init": "k-means++", "n_init": tries}
    if start is not None:
        how = {"init": (start.centres * start.spread + start.average - average) / spread, "n_init": 1}
    count = min(count, pl.DataFrame(measured).n_unique())
    found = KMeans(count, random_state=seed, **how).fit((measured - average) / spread)
    order = np.lexsort(found.cluster_centers_.T[::-1])
    return _Clusters(names, shares, average, spread, found.cluster_centers_[order])


def _usable_sets(some: pl.DataFrame) -> list[tuple[str, ...]]:
    """The sets of measures without those in which all customers are alike, each once."""
    differs = {name for name in SETS[0] if some[name].n_unique() > 1}
    found = dict.fromkeys(tuple(name for name in names if name in differs) for names in SETS)
    return [names for names in found if names]


def _defined(customers: pl.DataFrame, chosen: _Candidate, background: Background) -> pl.DataFrame:
    clusters = chosen.clusters
    labels = clusters.labels(customers)
    before = None
    if background.previous is not None and _segments(background.previous):
        before = assign(customers, background.previous)["segment"]
    names = continued(labels, clusters.centres, clusters.names, before)
    return _rows(customers, clusters, names)


def _rows(customers: pl.DataFrame, clusters: _Clusters, segments: list[str]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for place, name in enumerate(clusters.names):
        rows.append({"quantity": "average", "measure": name, "value": float(clusters.average[place])})
        rows.append({"quantity": "spread", "measure": name, "value": float(clusters.spread[place])})
        if name in SHARES:
            rows.append({"quantity": "population", "measure": name, "value": clusters.shares[name]})
        rows += [
            {"quantity": "centre", "segment": segment, "measure": name, "value": float(centre[place])}
            for segment, centre in zip(segments, clusters.centres, strict=True)
        ]
    return define(STRATEGY, customers["as_of_date"][0], rows)


def _clusters(definition: pl.DataFrame) -> _Clusters:
    mine = of_strategy(definition, STRATEGY)
    names = tuple(mine.filter(pl.col("quantity") == "average")["measure"])
    numbers = {(row["quantity"], row["segment"], row["measure"]): row["value"] for row in mine.iter_rows(named=True)}
    return _Clusters(
        names,
        {name: numbers["population", None, name] for name in names if name in SHARES},
        np.array([numbers["average", None, name] for name in names]),
        np.array([numbers["spread", None, name] for name in names]),
        np.array([[numbers["centre", segment, name] for name in names] for segment in _segments(definition)]),
    )


def _segments(definition: pl.DataFrame) -> list[str]:
    centres = of_strategy(definition, STRATEGY).filter(pl.col("quantity") == "centre")
    return centres["segment"].unique(maintain_order=True).to_list()
