from datetime import date, timedelta

import polars as pl

from ml.labels import label_outcomes
from ml.schemas import LABELS
from tests.ml.frames import shop, transactions

AS_OF = date(2026, 6, 30)


def test_outcomes_of_three_customers_are_as_computed_by_hand() -> None:
    rows = transactions(
        ("ann", "2026-06-30 23:59", 10.0),  # the cut-off itself is past
        ("ann", "2026-07-01 00:00", 4.0),
        ("ann", "2026-07-30 23:59", 5.0),  # the last day of the horizon
        ("ann", "2026-07-31 00:00", 99.0),  # too late
        ("bob", "2026-01-01", 10.0),
        ("bob", "2026-07-02", -3.0),  # a return is no purchase
        ("eve", "2026-05-01", 10.0),
        ("new", "2026-07-05", 10.0),  # not yet a customer at the cut-off
    )
    expected = {
        "customer_id": ["ann", "bob", "eve"],
        "is_churned": [False, True, True],
        "future_purchase_count": [2, 0, 0],
        "future_amount": [9.0, -3.0, 0.0],
    }
    labels = label_outcomes(rows, as_of=AS_OF, horizon_days=30)
    assert labels.equals(pl.DataFrame(expected, schema={"customer_id": pl.String} | LABELS))


def test_who_has_only_returned_goods_is_no_customer() -> None:
    rows = transactions(("ann", "2026-06-01", -5.0), ("ann", "2026-07-01", 5.0))
    assert label_outcomes(rows, as_of=AS_OF, horizon_days=30).is_empty()


def test_no_transactions_give_no_labels() -> None:
    labels = label_outcomes(transactions(), as_of=AS_OF, horizon_days=30)
    assert labels.schema == pl.Schema({"customer_id": pl.String} | LABELS)


def test_the_order_of_rows_changes_no_label() -> None:
    rows = shop(first_date=AS_OF - timedelta(days=100), days=200, rows=3000, customers=200, seed=2)
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=3)
    labels = label_outcomes(rows, as_of=AS_OF, horizon_days=30)
    assert label_outcomes(shuffled, as_of=AS_OF, horizon_days=30).equals(labels)
