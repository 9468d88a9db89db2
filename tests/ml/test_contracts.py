"""What is known of contracts on a day and what became of them, by hand, and that no day knows the next."""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from ml.contracts import build_contract_features, build_contract_snapshots, label_contract_ends
from ml.schemas import CONTRACT_FEATURES, CONTRACTS

AS_OF = date(2026, 3, 31)
NOBODY = pl.DataFrame(schema={"customer_id": pl.String})


def contracts(*rows: tuple[str, str, str | None, str | None, float | None]) -> pl.DataFrame:
    """Rows of (customer, first day, day of the end, plan, monthly amount)."""
    records = [
        (f"s{number}", customer, datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None, *rest)
        for number, (customer, start, end, *rest) in enumerate(rows)
    ]
    return pl.DataFrame(records, schema=list(CONTRACTS), orient="row", infer_schema_length=None).cast(CONTRACTS)


def features(*rows: Any, attributes: pl.DataFrame = NOBODY) -> list[dict[str, Any]]:
    """The features at AS_OF, a dictionary a customer."""
    return build_contract_features(contracts(*rows), attributes, as_of=AS_OF).to_dicts()


def labels(*rows: Any, horizon_days: int = 30) -> list[tuple[Any, ...]]:
    """Customer, whether churned, days to the end."""
    return label_contract_ends(contracts(*rows), as_of=AS_OF, horizon_days=horizon_days).rows()


def test_three_customers_by_hand() -> None:
    found = features(
        ("a", "2026-01-01", "2026-03-02", "small", 10.0),
        ("a", "2026-03-01", None, "large", 30.0),
        ("a", "2026-03-11", None, "small", 5.0),
        ("b", "2026-01-01", "2026-03-31", "small", 10.0),
        ("c", "2026-03-31", None, None, None),
    )
    assert [row["customer_id"] for row in found] == ["a", "c"]  # b's only contract ended that day
    assert found[0] == {
        "as_of_date": AS_OF,
        "customer_id": "a",
        "contract_tenure_days": 30,
        "tenure_days": 89,
        "last_change_days": 20,
        "running_contract_count": 2,
        "ended_contract_count": 1,
        "monthly_amount": 35.0,
        "paid_amount": pytest.approx((60 * 10 + 30 * 30 + 20 * 5) / (365.25 / 12)),
        "plan": "large",
    }
    assert (found[1]["contract_tenure_days"], found[1]["monthly_amount"], found[1]["paid_amount"]) == (0, None, None)


def test_attributes_follow_and_never_replace_a_feature() -> None:
    attributes = pl.DataFrame({"customer_id": ["a"], "town": ["Ulm"], "plan": ["x"], "is_churned": [True]})
    rows = [("a", "2026-01-01", None, "small", 1.0), ("b", "2026-01-01", None, "small", 1.0)]
    frame = build_contract_features(contracts(*rows), attributes, as_of=AS_OF)
    assert frame.columns == [*CONTRACT_FEATURES, "town"]
    assert frame["town"].to_list() == ["Ulm", None]
    assert frame["plan"].to_list() == ["small", "small"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("2026-04-30", None)], (True, 30)),
        ([("2026-05-01", None)], (False, 30)),
        ([("2026-04-01", None)], (True, 1)),
        ([("2026-04-10", None), (None, "2026-01-05")], (False, 30)),  # another runs on
        ([("2026-04-10", None), ("2026-04-20", "2026-01-05")], (True, 20)),  # all end
        ([("2026-04-10", None), (None, "2026-04-11")], (False, 30)),  # renewed the day after
        ([("2026-04-10", None), (None, "2026-04-12")], (True, 10)),  # came back after a day without
        ([("2026-04-10", None), ("2026-04-25", "2026-04-10")], (True, 25)),  # the renewal ends as well
        ([("2026-04-30", None), (None, "2026-05-01")], (True, 30)),  # a renewal after the horizon is not known in it
    ],
)
def test_churned_is_who_is_without_a_contract_in_the_horizon(
    rows: list[tuple[str | None, str | None]], expected: tuple[bool, int]
) -> None:
    given = [("a", start or "2026-01-01", end, "small", 1.0) for end, start in rows]
    assert labels(*given) == [("a", *expected)]


def test_who_has_no_running_contract_has_no_label() -> None:
    assert labels(("a", "2026-01-01", "2026-03-31", None, None), ("b", "2026-04-01", None, None, None)) == []


def some(seed: int = 0, rows: int = 400) -> pl.DataFrame:
    """Random contracts over two years."""
    random = np.random.default_rng(seed)
    start = np.datetime64("2025-01-01") + random.integers(0, 700, rows).astype("timedelta64[D]")
    end = start + random.integers(1, 500, rows).astype("timedelta64[D]")
    ended: Any = [None if random.random() < 0.3 else day for day in end.astype("datetime64[us]").tolist()]
    plans = random.choice(["small", "large"], rows)
    prices = random.integers(1, 50, rows)
    ids = [f"c{number:03}" for number in random.integers(0, rows // 2, rows)]
    return pl.DataFrame(
        [[f"s{n}" for n in range(rows)], ids, start.astype("datetime64[us]"), ended, plans, prices],
        schema=list(CONTRACTS),
    ).cast(CONTRACTS)


def test_nothing_after_the_day_changes_a_feature_nor_after_the_horizon_a_label() -> None:
    everything = some()
    later = AS_OF + timedelta(days=30)
    for day, build in (
        (AS_OF, lambda rows: build_contract_features(rows, NOBODY, as_of=AS_OF)),
        (later, lambda rows: label_contract_ends(rows, as_of=AS_OF, horizon_days=30)),
    ):
        is_known = pl.col("ended_at").cast(pl.Date) <= day
        past = everything.filter(pl.col("started_at").cast(pl.Date) <= day)
        past = past.with_columns(ended_at=pl.when(is_known).then("ended_at"))
        planted = past.with_columns(pl.col("ended_at").fill_null(datetime.fromisoformat("2026-05-02")))
        assert past["ended_at"].null_count() > 50
        expected = build(past)
        assert expected.height > 50
        for rows in (everything, planted, everything.sample(fraction=1.0, shuffle=True, seed=1)):
            assert build(rows).equals(expected)


def test_snapshots_have_every_day_and_customer_once() -> None:
    days = [AS_OF, AS_OF - timedelta(days=30)]
    frame = build_contract_snapshots(some(), NOBODY, cutoffs=[*days, AS_OF], horizon_days=30)
    assert frame.select("as_of_date", "customer_id").is_unique().all()
    assert frame["as_of_date"].unique().sort().to_list() == days[::-1]
    assert frame["is_churned"].null_count() == 0
    assert frame.filter(pl.col("is_churned"))["days_to_end"].is_between(1, 30).all()
    nobody = build_contract_snapshots(some().clear(), NOBODY, cutoffs=days, horizon_days=30)
    assert nobody.schema == frame.schema
