"""Cards of trainings for tests that need no training."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from orchestration.storage.model_files import ModelCard

CONFIG: dict[str, Any] = {"horizon_days": 30}
DAY = date(2026, 6, 30)
GROUP = {
    "attribute": "gender", "group_name": "f", "metric": "auc", "value": 0.7, "lower": 0.6, "upper": 0.8,
    "difference": None, "difference_lower": None, "difference_upper": None, "is_warning": False, "customer_count": 120,
}  # fmt: skip


def card_of(content: bytes, number: int = 1, **changed: Any) -> ModelCard:
    card = ModelCard(
        model="churn",
        model_version=f"churn-{number:02}",
        source="shop",
        as_of_date=DAY + timedelta(days=number),
        trained_at=datetime(2026, 7, 1, tzinfo=UTC).replace(tzinfo=None),
        horizon_days=30,
        served_by="champion",
        candidate="logistic_regression",
        statuses={"logistic_regression": "champion", "recency": "rule"},
        reason="it is better",
        config=CONFIG,
        library_versions={"numpy": "2"},
        model_sha256=hashlib.sha256(content).hexdigest(),
        evaluations=[],
        calibration_points=[],
        data_window=["2025-07-01", "2026-06-30"],
        counts={"customers": 700, "outcomes": 2000, "tested_customers": 500},
        fairness=[GROUP],
        warnings=["churn by gender: it differs."],
        sample={"date": "2026-05-31", "customers": 500, "features": {"recency_days": [1.0, None]}, "score": [0.5]},
    )
    return replace(card, **changed)
