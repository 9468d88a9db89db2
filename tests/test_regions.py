import json
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from tests.sql import select

SMALLEST = 11
LEVELS = {"city": 3, "region": 2, "country": 1, "all": 0}
KEYS = ("country", "region", "city")


def _customers(seed: int) -> pl.DataFrame:
    """Customers of a random hierarchy: up to three countries, regions and cities, a few of them without a place."""
    random = np.random.default_rng(seed)
    rows = []
    for country in range(random.integers(1, 4)):
        for region in range(random.integers(1, 4)):
            for city in range(random.integers(1, 4)):
                size = int(random.choice([1, 2, 5, 8, 10, 11, 12, 30]))
                place = [f"C{country}", f"R{region}", f"T{city}"]
                lacking = int(random.integers(0, 8))
                rows += [place[:lacking] + [None] * (3 - lacking) if lacking < 3 else place] * size
    count = len(rows)
    return pl.DataFrame(rows, schema=dict.fromkeys(KEYS, pl.String), orient="row").with_columns(
        customer_id=pl.Series([f"c{number}" for number in range(count)]),
        purchase_count=pl.Series(random.binomial(2, random.choice([0.3, 0.9]), count)),
        transaction_count=pl.Series(random.integers(1, 9, count)),
        net_amount=pl.Series(random.integers(1, 10**6, count)).cast(pl.Decimal(18, 4)) / Decimal(100),
        latitude=pl.Series(np.where(random.random(count) < 0.5, random.normal(50, 1, count), np.nan)).fill_nan(None),
        longitude=pl.Series(random.normal(179, 1, count)),
    )


TRANSACTIONS = pl.DataFrame(schema={"customer_id": pl.String, "occurred_at": pl.Datetime, "country": pl.String})


def _published(customers: pl.DataFrame) -> pl.DataFrame:
    return select("rpt_regions", {"dim_customers": customers, "fct_transactions": TRANSACTIONS})


@pytest.mark.parametrize("seed", range(40))
def test_no_sum_of_published_rows_isolates_fewer_than_eleven_people(seed: int) -> None:
    customers = _customers(seed).with_columns(pl.col(key).fill_null("unknown") for key in KEYS)
    rows = _published(customers)
    buyers = customers.filter(pl.col("purchase_count") > 0).height
    assert rows.is_empty() == (buyers < SMALLEST or set(customers["city"]) == {"unknown"})
    if rows.is_empty():
        return
    places = customers.group_by(KEYS).agg(pl.len(), (pl.col("purchase_count") > 0).sum().alias("buyers")).sort(KEYS)
    leaves = rows.filter(pl.col("level") == "city")
    leaf_of = _leaf_of_each_place(places, leaves)
    told = np.array([
        [all(row[key] in ("all", leaf[key]) for key in KEYS) for leaf in leaf_of]
        for row in rows.iter_rows(named=True)
    ]).astype(float)  # fmt: skip
    for measure, counted in (("customer_count", "len"), ("buyer_count", "buyers")):
        assert (told @ places[counted].to_numpy() == rows[measure].to_numpy()).all()
        _assert_nothing_small_is_in_the_span(told, places[counted].to_numpy())


def _leaf_of_each_place(places: pl.DataFrame, leaves: pl.DataFrame) -> list[dict[str, str]]:
    """The leaf that holds each place: by name as far as the names go, else the one of the others."""
    named = {tuple(leaf[key] for key in KEYS): leaf for leaf in leaves.iter_rows(named=True)}
    found = []
    for country, region, city in places.select(KEYS).iter_rows():
        candidates = [
            (country, region, city),
            (country, region, "other places"),
            (country, "other regions", "other places"),
            ("other countries", "other regions", "other places"),
        ]
        found.append(named[next(name for name in candidates if name in named)])
    return found


def _assert_nothing_small_is_in_the_span(told: np.ndarray, counts: np.ndarray) -> None:
    """No set of places of 1 to 10 people is a linear combination of the rows, whatever the coefficients.

    Every such set is tried. Places that no row tells apart are in a combination together or not at all, which the
    projection on the rows finds by itself.
    """
    onto = np.linalg.pinv(told) @ told
    small = np.flatnonzero(counts < SMALLEST)
    sets = np.zeros((1, len(counts)))
    for place in small:
        more = sets.copy()
        more[:, place] = 1
        sets = np.concatenate([sets, more[more @ counts < SMALLEST]])
    sets = sets[sets @ counts > 0]
    distance = np.abs(sets @ onto - sets).max(axis=1, initial=0)
    assert (distance > 1e-6).all()


def test_the_map_has_a_point_for_each_place_whose_centre_is_told() -> None:
    customers = _customers(0).with_columns(latitude=pl.lit(50.0), longitude=pl.lit(179.0))
    beyond = customers.with_row_index().with_columns(
        longitude=pl.when(pl.col("index") % 2 == 0).then(-179.0).otherwise(179.0)
    )
    tables = {"dim_customers": beyond.drop("index"), "fct_transactions": TRANSACTIONS}
    (text,) = select("rpt_regions_geojson", tables)["geojson"]
    collection = json.loads(text)
    assert collection["type"] == "FeatureCollection"
    rows = _published(beyond.drop("index")).filter(pl.col("latitude").is_not_null())
    assert len(collection["features"]) == rows.height > 0
    for feature in collection["features"]:
        longitude, latitude = feature["geometry"]["coordinates"]
        assert abs(longitude) > 178.9  # not 0, which is the mean of the numbers
        assert latitude == pytest.approx(50, abs=0.1)
        assert feature["properties"]["buyer_count"] >= SMALLEST


def test_without_coordinates_there_is_no_map() -> None:
    customers = _customers(0).with_columns(latitude=pl.lit(None, pl.Float64))
    assert select("rpt_regions_geojson", {"dim_customers": customers, "fct_transactions": TRANSACTIONS}).is_empty()
