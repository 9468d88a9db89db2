"""The `holidays` block of a source file: whose public holidays the reports measure, and the days that these are.

The calendar is the library's; what a holiday does to trade is SQL's to say (dbt_project).
"""

import difflib
import warnings
from typing import TYPE_CHECKING, Final

from pydantic import Field, model_validator

from orchestration.intake.strict import Strict

if TYPE_CHECKING:  # `clientele status` answers without it
    import polars as pl

YEARS: Final = range(1970, 2070)
"""Written whole, so that the table depends on the source file alone and not on the day of the run."""


class Holidays(Strict):
    """Whose public holidays trade is measured around; without a country none are."""

    country: str | None = Field(None, description="ISO 3166 code of two letters, such as US")
    subdivision: str | None = Field(None, description="ISO 3166-2 code without the country, such as CA for California")

    @model_validator(mode="after")
    def _known(self) -> "Holidays":
        """Only what the library has a calendar for."""
        if self.country is None:
            if self.subdivision is not None:
                raise ValueError("country: is required where there is a subdivision")
            return self
        import holidays

        countries = holidays.list_supported_countries(include_aliases=True)
        if self.country not in countries:
            raise ValueError(f"country: '{self.country}' has no calendar{_near(self.country, countries)}")
        subdivisions = countries[self.country]
        if self.subdivision is not None and self.subdivision not in subdivisions:
            near = _near(self.subdivision, subdivisions)
            raise ValueError(f"subdivision: '{self.subdivision}' of {self.country} has no calendar{near}")
        return self

    def table(self) -> "pl.DataFrame":
        """One row per holiday: its day and its name in English where the library has one; no rows without a country.

        A holiday is on its own day: a Monday off for a holiday on Sunday is no day on which people celebrate.
        """
        import polars as pl

        days: dict[object, str] = {}
        if self.country is not None:
            import holidays

            with warnings.catch_warnings():  # that some calendars begin or end within these years
                warnings.simplefilter("ignore", UserWarning)
                found = holidays.country_holidays(
                    self.country, subdiv=self.subdivision, years=YEARS, observed=False, language="en_US"
                )
            days = dict(sorted(found.items()))
        return pl.DataFrame(
            {"holiday_date": list(days), "holiday_name": list(days.values())},
            schema={"holiday_date": pl.Date, "holiday_name": pl.String},
        )


def _near(word: str, known: list[str] | dict[str, list[str]]) -> str:
    match = difflib.get_close_matches(word.upper(), list(known), n=1, cutoff=0.5)
    return f"; did you mean '{match[0]}'?" if match else "; codes are those of ISO 3166, such as US or CA"
