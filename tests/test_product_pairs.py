import numpy as np
import polars as pl
import pytest

from tests.baskets import bought
from tests.sql import select

ITEMS = 60
PLANTED = [("p03", "p07"), ("p11", "p40"), ("p22", "p51")]


def _shop(seed: int, *, baskets: int, together: float = 0.0) -> dict[str, pl.DataFrame]:
    """Baskets of a few products or of many, drawn by popularity; `together`: how often a partner comes along."""
    random = np.random.default_rng(seed)
    popularity = 1 / np.arange(4, ITEMS + 4)
    sizes = np.minimum(1 + random.poisson(random.gamma(1, 4, baskets)), 30)
    partner = dict(PLANTED)
    rows = []
    for basket, size in enumerate(sizes):
        drawn = random.choice(ITEMS, size, replace=False, p=popularity / popularity.sum())
        held = {f"p{item:02}" for item in drawn}
        held |= {partner[item] for item in held & set(partner) if random.random() < together}
        rows += [(f"t{basket}", f"c{basket % 400}", item, 0) for item in sorted(held)]
    return bought(rows)


def _pairs(tables: dict[str, pl.DataFrame], level: str = "product") -> list[tuple[str, str]]:
    rows = select("rpt_product_pairs", tables).filter(pl.col("level") == level)
    return list(rows.select("first_id", "second_id").iter_rows())


@pytest.mark.parametrize("seed", range(3))
def test_planted_pairs_come_out_on_top(seed: int) -> None:
    found = _pairs(_shop(seed, baskets=6000, together=0.5))
    assert set(found[:3]) == set(PLANTED)


def test_baskets_of_any_size_filled_independently_hold_no_pairs() -> None:
    found = [_pairs(_shop(seed, baskets=4000), level) for seed in range(12) for level in ("product", "category")]
    assert sum(map(bool, found)) <= 3  # 5 % of 24 for all pairs together, and 2 more by chance


def test_a_pair_of_ten_customers_is_not_told() -> None:
    rows = [(f"t{n}", f"c{n % 400}", f"p{n % 50:02}", 0) for n in range(2000)]
    for buyers, seen in ((10, False), (11, True)):
        pair = [(f"both{n}", f"b{n % buyers}", item, 0) for n in range(60) for item in ("x1", "x2")]
        assert (("x1", "x2") in _pairs(bought(rows + pair))) == seen


def test_a_basket_of_more_than_a_hundred_products_is_left_out_and_counted() -> None:
    tables = _shop(0, baskets=3000, together=0.5)
    full = [("till roll", "c1", f"q{n}", 0) for n in range(101)]
    lines = pl.concat([tables["fct_transaction_lines"], bought(full)["fct_transaction_lines"]])
    known = pl.concat([tables["dim_products"], bought(full)["dim_products"]])
    rows = select("rpt_product_pairs", {"fct_transaction_lines": lines, "dim_products": known})
    assert rows["left_out_basket_count"].unique().to_list() == [1]
    assert rows["all_basket_count"].unique().to_list() == [3000]
    before = select("rpt_product_pairs", tables)
    assert rows.drop("left_out_basket_count").equals(before.drop("left_out_basket_count"))


def test_an_order_of_rows_changes_nothing() -> None:
    tables = _shop(1, baskets=3000, together=0.5)
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=3) for name, frame in tables.items()}
    assert select("rpt_product_pairs", tables).equals(select("rpt_product_pairs", shuffled))
