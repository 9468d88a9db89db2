"""The table of changes for systems that read for themselves: a day goes on from the one before it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl

from ml.schemas import empty
from orchestration.activation.feed import CHANGES, SUBJECT, continued
from orchestration.assets.activation import ASSETS
from orchestration.runs.run import Run
from orchestration.storage.history import History
from tests.commands import Finished
from tests.runs import shop_run
from tests.shop import REFUSED, SOURCE

MONDAY, TUESDAY, WEDNESDAY = date(2026, 6, 29), date(2026, 6, 30), date(2026, 7, 1)
KEYS = ["customer_id", "operation", "revision", "changed_date", "batch_id"]


def rows(**segments: str) -> pl.DataFrame:
    schema = {"customer_id": pl.String, "segment": pl.String}
    return pl.DataFrame({"customer_id": [*segments], "segment": [*segments.values()]}, schema=schema)


def test_who_did_not_change_keeps_the_day_and_batch_of_the_last_change() -> None:
    first = continued("crm", rows(ann="gold", bob="new"), empty(CHANGES), as_of=MONDAY)
    second = continued("crm", rows(ann="gold", cas="new"), first, as_of=TUESDAY)
    assert second.select(KEYS).rows() == [
        ("ann", "added", 1, MONDAY, "crm-2026-06-29"),
        ("bob", "removed", 2, TUESDAY, "crm-2026-06-30"),
        ("cas", "added", 1, TUESDAY, "crm-2026-06-30"),
    ]
    third = continued("crm", rows(ann="silver", bob="new", cas="new"), second, as_of=WEDNESDAY)
    assert third.filter(changed_date=WEDNESDAY).select("customer_id", "operation", "revision").rows() == [
        ("ann", "updated", 2),
        ("bob", "added", 3),
    ]
    assert set(third["as_of_date"]) == {WEDNESDAY}
    assert json.loads(third.filter(customer_id="ann")["row"].item()) == {"customer_id": "ann", "segment": "silver"}
    assert second.filter(customer_id="bob")["row"].item() is None


def test_the_same_day_is_the_same_table_and_activations_are_apart() -> None:
    first = continued("crm", rows(ann="gold"), empty(CHANGES), as_of=MONDAY)
    other = continued("mail", rows(ann="gold"), first, as_of=MONDAY)
    assert other["change_id"].item() != first["change_id"].item()
    assert continued("crm", rows(ann="gold"), empty(CHANGES), as_of=MONDAY).equals(first)


def company(folder: Path, *, as_of: date, at_risk: list[str]) -> Run:
    """A run that has its reports: ten customers, of whom some are at risk; c0 allows no marketing, c1 is control."""
    given = "actions:\n  activations:\n    crm: {where: risk_band = 'high', columns: [risk_band], folder: out}\n"
    made = shop_run(folder, source=SOURCE.replace("actions:\n  activations:\n", given))
    write, names = made.warehouse.write, [f"c{number}" for number in range(10)]
    write("marts.dim_as_of", pl.DataFrame({"as_of_date": [as_of]}))
    write("marts.dim_customers", pl.DataFrame({"customer_id": names, "loyalty_tier": "gold"}))
    permissions = [name != "c0" for name in names]
    write("marts.dim_customer_permissions", pl.DataFrame({"customer_id": names, "is_marketing_allowed": permissions}))
    bands = ["high" if name in at_risk else "low" for name in names]
    allowed = {"customer_id": names, "risk_band": bands, "is_marketing_allowed": permissions, "transaction_count": 0}
    write("reports.rpt_customer_360", pl.DataFrame(allowed).with_columns(rfm_segment=pl.lit("new")))
    arms = {"experiment_id": ["global_control"], "customer_id": ["c1"], "arm": ["control"]}
    write("ml.experiment_assignments", pl.DataFrame(arms))
    results = {"experiment_id": ["global_control"], "arm": ["control"], "is_control": [True], "status": ["running"]}
    write("ml.experiment_results", pl.DataFrame(results))
    return made


def day(run: Run) -> tuple[list[Any], bool]:
    """Customers and operations of activation crm after a day, kept as publishing keeps it; whether the check passed."""
    done = dg.materialize(ASSETS, resources={"run": run})
    found = run.warehouse.read("from activation.changes")
    History(run.settings.history_dir, source=run.source.name).keep(SUBJECT, run.as_of, found)
    (check,) = done.get_asset_check_evaluations()
    crm = found.filter(activation="crm")
    return crm.select("customer_id", "operation").sort("customer_id").rows(), check.passed


def test_only_those_who_may_be_addressed_and_an_audience_that_shrinks_is_left_as_it_was(tmp_path: Path) -> None:
    everybody = [f"c{number}" for number in range(10)]
    first, is_whole = day(company(tmp_path, as_of=MONDAY, at_risk=everybody))
    assert first == [(f"c{number}", "added") for number in range(2, 10)]
    assert is_whole
    second, is_whole = day(company(tmp_path, as_of=TUESDAY, at_risk=everybody[:9]))
    assert second == [*first[:-1], ("c9", "removed")]
    assert is_whole
    third, is_whole = day(company(tmp_path, as_of=WEDNESDAY, at_risk=everybody[:3]))
    assert third == second
    assert not is_whole


def test_the_published_changes_name_nobody_who_refused_or_is_held_out(first_run: Finished) -> None:
    database = first_run.settings.published_dir / "current" / "clientele.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.sql("select customer_id, operation, row from activation.changes").fetchall()
        controls = connection.sql(
            "select customer_id from ml.experiment_assignments "
            "where experiment_id = 'global_control' and arm = 'control'"
        ).fetchall()
    assert len(found) > 50
    assert {operation for _, operation, _ in found} == {"added"}
    told = {customer for customer, _, _ in found}
    assert not told & {REFUSED["marketing"], *(customer for (customer,) in controls)}
    assert controls
