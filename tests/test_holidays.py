from datetime import date

import polars as pl
import pytest
from pydantic import ValidationError

from orchestration.intake.holidays import Holidays


def test_without_a_country_there_are_no_holidays() -> None:
    table = Holidays().table()
    assert table.is_empty()
    assert table.schema == pl.Schema({"holiday_date": pl.Date, "holiday_name": pl.String})


def test_a_country_has_its_holidays_on_their_own_days_once_each() -> None:
    table = Holidays(country="US").table()
    of_2017 = dict(table.filter(pl.col("holiday_date").dt.year() == 2017).iter_rows())
    assert of_2017[date(2017, 11, 23)] == "Thanksgiving Day"
    assert of_2017[date(2017, 12, 25)] == "Christmas Day"
    assert date(2017, 1, 2) not in of_2017  # the Monday off for a New Year's Day on a Sunday
    assert table["holiday_date"].is_unique().all()
    assert table["holiday_date"].is_sorted()


def test_a_subdivision_adds_its_own_and_names_are_english() -> None:
    germany, bavaria = (Holidays(country="DE", subdivision=part).table() for part in (None, "BY"))
    added = set(bavaria["holiday_name"]) - set(germany["holiday_name"])
    assert "Epiphany" in added
    assert "Easter Monday" in set(germany["holiday_name"])


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"country": "us"}, "did you mean 'US'"),
        ({"country": "US", "subdivision": "Bavaria"}, "'Bavaria' of US has no calendar"),
        ({"subdivision": "CA"}, "country: is required"),
    ],
)
def test_what_has_no_calendar_is_refused_with_a_way_out(declared: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Holidays(**declared)
