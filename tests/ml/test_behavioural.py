"""Behavioural segments: planted groups are found, stay the same, and nothing is found where there is nothing."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

from ml.backtest import build_snapshots
from ml.features import build_features
from ml.schemas import CUSTOMER_FEATURES
from ml.segmentation import behavioural
from ml.segmentation.definitions import Background, Withheld
from tests.ml.behaviours import AS_OF, shop

HORIZON = 60


def features(transactions: pl.DataFrame, *, as_of: date = AS_OF) -> pl.DataFrame:
    return build_features(transactions, as_of=as_of)


@pytest.fixture(scope="module")
def planted() -> tuple[pl.DataFrame, pl.DataFrame]:
    return shop(150, seed=3)


@pytest.fixture(scope="module")
def past(planted: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    day = AS_OF - timedelta(days=HORIZON)
    return build_snapshots(planted[0], cutoffs=[day], horizon_days=HORIZON)


@pytest.fixture(scope="module")
def today(planted: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    return features(planted[0])


@pytest.fixture(scope="module")
def definition(today: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    return behavioural.fit(today, Background(past))


def alike(one: pl.DataFrame, other: pl.DataFrame) -> float:
    both = one.join(other, on="customer_id")
    return float(adjusted_rand_score(both["segment"], both[both.columns[-1]]))


def test_four_planted_behaviours_are_found(
    today: pl.DataFrame, definition: pl.DataFrame, planted: tuple[pl.DataFrame, pl.DataFrame]
) -> None:
    found = behavioural.assign(today, definition)
    assert found["segment"].n_unique() == 4
    assert alike(found.select("customer_id", "segment"), planted[1]) >= 0.9


def test_the_words_of_a_segment_are_its_typical_numbers_beside_everyones(
    today: pl.DataFrame, definition: pl.DataFrame, planted: tuple[pl.DataFrame, pl.DataFrame]
) -> None:
    named = behavioural.assign(today, definition).join(planted[1], on="customer_id")
    segment = named.filter(pl.col("behaviour") == "saturdays")["segment"].mode()[0]
    assert "weekend" in segment
    said = behavioural.words(definition)[segment]
    assert "purchases on weekends" in said
    assert "(all customers" in said


def test_the_order_of_customers_and_another_fit_change_nobody(
    today: pl.DataFrame, past: pl.DataFrame, definition: pl.DataFrame
) -> None:
    shuffled = today.sample(fraction=1.0, shuffle=True, seed=1)
    assert behavioural.fit(shuffled, Background(past)).equals(definition)
    again = behavioural.fit(today, Background(past, previous=definition))
    found = behavioural.assign(today, again)["segment"]
    assert (found == behavioural.assign(today, definition)["segment"]).all()


def test_one_more_day_moves_hardly_anybody_and_no_name(
    planted: tuple[pl.DataFrame, pl.DataFrame], past: pl.DataFrame
) -> None:
    yesterday = features(planted[0], as_of=AS_OF - timedelta(days=1))
    before = behavioural.fit(yesterday, Background(past))
    tomorrow = features(planted[0])
    after = behavioural.fit(tomorrow, Background(past, previous=before))
    one, other = behavioural.assign(yesterday, before), behavioural.assign(tomorrow, after)
    assert alike(one.select("customer_id", "segment"), other.select("customer_id", after="segment")) >= 0.95
    assert set(one["segment"]) == set(other["segment"])


def test_the_same_people_in_other_clusters_keep_their_names_whatever_the_order_of_centres(
    today: pl.DataFrame, past: pl.DataFrame, definition: pl.DataFrame
) -> None:
    centres = definition.filter(pl.col("quantity") == "centre")
    renamed = {name: f"group_{number}" for number, name in enumerate(sorted(centres["segment"].unique(), reverse=True))}
    former = definition.with_columns(pl.col("segment").replace(renamed))
    after = behavioural.fit(today, Background(past, previous=former))
    assert set(behavioural.assign(today, after)["segment"]) == set(renamed.values())


def test_where_all_differ_by_chance_alone_nothing_is_published(past: pl.DataFrame) -> None:
    random = np.random.default_rng(0)
    count = 400
    numbers = {name: random.normal(size=count) for name in ("a", "b", "c")}
    drawn = {
        "as_of_date": [AS_OF] * count,
        "customer_id": [f"c{number}" for number in range(count)],
        "frequency_count": np.full(count, 50),
        "purchase_count_365_days": np.exp(3 + 0.3 * numbers["a"]).round(),
        "average_order_amount": np.exp(3 + 0.3 * numbers["b"]),
        "average_line_count": np.exp(2 + 0.3 * numbers["c"]),
        "monetary_amount": np.full(count, 100.0),
        **{name: random.beta(20, 20, count) for name in ("discount_share", "weekend_share", "evening_share")},
    }
    missing = {name: pl.lit(0).cast(kind) for name, kind in CUSTOMER_FEATURES.items() if name not in drawn}
    nothing = pl.DataFrame(drawn).with_columns(**missing).cast(CUSTOMER_FEATURES)
    with pytest.raises(Withheld, match="comes back") as caught:
        behavioural.fit(nothing, Background(), limits=behavioural.Limits(stable_rand=0.9))
    assert caught.value.status == "withheld"


@pytest.mark.parametrize("count", [0, 1, 2, 99])
def test_too_few_customers_have_no_segments_of_this_kind(today: pl.DataFrame, count: int) -> None:
    with pytest.raises(Withheld, match=f"{count} customers, of 100 needed") as caught:
        behavioural.fit(today.head(count))
    assert caught.value.status == "not_carried"


def test_customers_who_are_all_alike_have_no_segments_of_this_kind(today: pl.DataFrame) -> None:
    clones = pl.concat([today.head(1)] * 200).with_columns(customer_id=pl.int_range(200).cast(pl.String))
    with pytest.raises(Withheld, match="alike"):
        behavioural.fit(clones)


def test_a_cluster_too_small_to_stand_alone_is_joined_to_its_neighbours(
    today: pl.DataFrame, past: pl.DataFrame
) -> None:
    whales = today.head(5).with_columns(
        customer_id=pl.format("whale-{}", pl.int_range(5)), average_order_amount=pl.lit(90_000.0)
    )
    found = behavioural.assign(both := pl.concat([today, whales]), behavioural.fit(both, Background(past)))
    sizes = found["segment"].value_counts()["count"]
    assert sizes.min() >= 0.02 * both.height
    assert found.filter(pl.col("customer_id").str.starts_with("whale"))["segment"].null_count() == 0
