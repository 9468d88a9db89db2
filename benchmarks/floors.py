"""The least that the same work takes: bare scripts without checks, records, history or safety, each run by itself.

`python -m benchmarks.floors clean SHOP PLACE` does one and prints its seconds; later ones read what earlier ones left
in PLACE. Our own stages are in `stages`.
"""

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.clock import alone

Work = Callable[[], dict[str, Any] | None]
SQL = Path(__file__).with_name("sql")
SETTINGS: dict[str, Any] = {"threads": 2, "memory_limit": "2GB"}  # as the pipeline's own


def clean(shop: Path, place: Path, *, queries: Sequence[str] = ("bare_typed", "bare_clean")) -> Work:
    """Typing, rejects, newest version of a transaction, exact repeats by keys that occur twice."""
    import duckdb

    script = "".join((SQL / f"{query}.sql").read_text() for query in queries)
    place.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config=SETTINGS | {"temp_directory": str(place / "spill")})

    def work() -> None:
        connection.execute(script.replace("$deliveries", f"{shop}/deliveries").replace("$place", str(place)))

    return work


def clean_plain(shop: Path, place: Path) -> Work:
    """Typing and rejects alone."""
    return clean(shop, place, queries=("bare_typed", "bare_plain"))


def aggregate(shop: Path, place: Path) -> Work:
    """Transactions, days and customers from the clean lines."""
    return clean(shop, place, queries=("bare_aggregate",))


def features(_shop: Path, place: Path) -> Work:
    """The columns of ml.customer_features at one day, from Parquet to Parquet, in floats."""
    from benchmarks.bare_features import bare_features

    return lambda: bare_features(place / "transactions.parquet", place / "features.parquet")


def predict(_shop: Path, place: Path) -> Work:
    """scikit-learn's own predict for all three families: boosted churn and value, and clusters."""
    import numpy as np
    import polars as pl
    from sklearn.cluster import KMeans
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    frame = pl.read_parquet(place / "features.parquet")
    X = frame.select(pl.col(pl.Float64, pl.Int64, pl.UInt32)).fill_null(0).fill_nan(0).cast(pl.Float64).to_numpy()
    some = X[:: max(1, len(X) // 5_000)]
    random = np.random.default_rng(0)
    trees = {"max_iter": 200, "max_leaf_nodes": 31, "early_stopping": False, "random_state": 0}

    with threadpool_limits(1):  # waiting threads would count as work
        churn = HistGradientBoostingClassifier(**trees).fit(some, random.random(len(some)) < 0.5)
        value = HistGradientBoostingRegressor(**trees).fit(some, random.random(len(some)))
        groups = KMeans(6, n_init=1, random_state=0).fit(some)

    def work() -> dict[str, Any]:
        with threadpool_limits(1):
            churn.predict_proba(X)
            value.predict(X)
            groups.predict(X)
        return {"customers": len(X)}

    return work


def lifetimes(_shop: Path, place: Path, *, is_warm: bool = False) -> Work:
    """BG/NBD by lifetimes from nothing; warm: from the fit of a fiftieth of the customers, which counts as well."""
    import numpy as np
    from lifetimes import BetaGeoFitter

    from benchmarks.histories import histories

    X = histories(place / "transactions.parquet")
    scale = 10 / X[:, 2].max()  # lifetimes makes the longest time 10

    def work() -> dict[str, Any]:
        options = {}
        if is_warm:
            sample = BetaGeoFitter().fit(*X[::50].T)
            r, alpha, a, b = sample.params_[["r", "alpha", "a", "b"]]
            options = {"initial_params": np.log([r, alpha * scale, a, b])}
        fitter = BetaGeoFitter().fit(*X.T, **options)
        return {"customers": len(X), **fitter.params_.to_dict()}

    return work


def lifetimes_warm(shop: Path, place: Path) -> Work:
    """As above."""
    return lifetimes(shop, place, is_warm=True)


def copy(_shop: Path, place: Path) -> Work:
    """The bytes of what was published, copied; `place` is that version's folder."""
    copied = place.parent / f".{place.name}.copied"

    def work() -> dict[str, Any]:
        shutil.copytree(place, copied)
        size = sum(file.stat().st_size for file in copied.rglob("*") if file.is_file())
        shutil.rmtree(copied)
        return {"gigabytes": size / 1e9}

    return work


FLOORS: dict[str, Callable[[Path, Path], Work]] = {
    "clean_plain": clean_plain,
    "clean": clean,
    "aggregate": aggregate,
    "features": features,
    "predict": predict,
    "lifetimes": lifetimes,
    "lifetimes_warm": lifetimes_warm,
    "copy": copy,
}

if __name__ == "__main__":
    name, *paths = sys.argv[1:]
    alone(FLOORS[name](*map(Path, paths)))
