import numpy as np
import polars as pl
import pytest

from tests.baskets import bought
from tests.sql import select

ITEMS, DAYS = 40, 300
PLANTED = [("p05", "p12"), ("p20", "p08"), ("p30", "p31")]


def _shop(seed: int, *, customers: int = 1200, follows: float = 0.0) -> dict[str, pl.DataFrame]:
    """Customers who come at their own pace and buy by popularity; `follows`: how often a follower comes next."""
    random = np.random.default_rng(seed)
    popularity = 1 / np.arange(3, ITEMS + 3)
    rows = []
    for customer in range(customers):
        visits, basket = random.poisson(random.gamma(1, 5)), 1 + random.gamma(1, 1)
        coming: dict[str, str] = {}
        for visit, day in enumerate(sorted(random.integers(0, DAYS, visits))):
            size = min(1 + random.poisson(basket), 10)
            drawn = random.choice(ITEMS, size, replace=False, p=popularity / popularity.sum())
            held = {f"p{item:02}" for item in drawn} | set(coming.values())
            rows += [(f"t{customer}-{visit}", f"c{customer}", item, int(day)) for item in sorted(held)]
            coming = {a: b for a, b in PLANTED if a in held and random.random() < follows}
    return bought(rows)


def _sequences(tables: dict[str, pl.DataFrame], level: str = "product") -> list[tuple[str, str]]:
    rows = select("rpt_product_sequences", tables).filter(pl.col("level") == level)
    return list(rows.select("first_id", "second_id").iter_rows())


@pytest.mark.parametrize("seed", range(3))
def test_planted_sequences_come_out_on_top_in_their_direction(seed: int) -> None:
    found = _sequences(_shop(seed, follows=0.7))
    assert set(found[:3]) == set(PLANTED)
    assert not {(b, a) for a, b in PLANTED} & set(found)


def test_customers_of_any_pace_who_buy_independently_show_no_sequences() -> None:
    found = [_sequences(_shop(seed), level) for seed in range(12) for level in ("product", "category")]
    assert sum(map(bool, found)) <= 3  # 5 % of 24 for all sequences together, and 2 more by chance


def test_what_is_bought_on_the_same_day_or_after_the_window_does_not_follow() -> None:
    crowd = _shop(0)["fct_transaction_lines"]
    for gap, seen in ((0, False), (1, True), (30, True), (31, False)):
        pairs = [
            (f"x{n}-{day}", f"x{n}", item, day)
            for n in range(60)
            for item, day in (("first", 10), ("second", 10 + gap), ("p00", 15), ("p01", 20), ("p02", 25))
        ]
        planted = bought(pairs)
        lines = pl.concat([crowd, planted["fct_transaction_lines"]])
        products = lines.select("product_id", name="product_id", category=pl.lit("all")).unique().sort("product_id")
        found = _sequences({"fct_transaction_lines": lines, "dim_products": products})
        assert (("first", "second") in found) == seen, gap
