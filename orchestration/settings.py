"""The only reader of environment variables: where things are on this machine, and nothing about the data.

What a column means belongs in a source file (`intake.source_file`); what a run was asked for, its day too, in `run`.
"""

import os
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parent.parent
DBT_PROJECT_DIR = PROJECT_DIR / "dbt_project"
SECRETS = {"connections", "mlflow_uri", "alerts", "dagster_postgres_url", "privacy_key", "spark_remote"}


def _one_minute_of_the_day(cron: str) -> str:
    """A run describes a day, so a schedule starts at most one a day: such crons Dagster keeps right across DST too."""
    if not re.fullmatch(r"([0-5]?\d) ([01]?\d|2[0-3]) \S+ \S+ \S+", cron):
        raise ValueError(f"'{cron}' does not name one minute of the day; write one such as '30 5 * * *'")
    return cron


def _known_zone(name: str) -> str:
    """An IANA time zone, or none."""
    if name and name not in available_timezones():
        raise ValueError(f"'{name}' is no IANA time zone; write one such as Europe/Berlin")
    return name


Cron = Annotated[str, AfterValidator(_one_minute_of_the_day)]
Zone = Annotated[str, AfterValidator(_known_zone)]


class Settings(BaseSettings):
    """One frozen set of settings; each may be given as `CLIENTELE_<NAME>`, paths relative to the working folder."""

    model_config = SettingsConfigDict(
        env_prefix="CLIENTELE_",
        frozen=True,
        extra="ignore",
        env_nested_delimiter="__",
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    data_dir: Path = Field(PROJECT_DIR / "data", description="everything that is kept and built")
    source: Path = Field(PROJECT_DIR / "sources" / "complete_journey.yml", description="the source file to run on")
    schedules: bool = Field(True, description="whether the schedules start switched on")
    timezone: Zone = Field("", description="time zone of the schedules; empty: the source's (its days end there)")
    refresh_cron: Cron = Field("30 5 * * *", description="when the daily refresh starts")
    retrain_cron: Cron = Field(
        "30 6 * * 1", description="when the weekly retrain starts, instead of that day's refresh"
    )
    file_sensor: bool = Field(False, description="whether newly arrived files start a run")
    file_settle_seconds: int = Field(120, ge=1, description="how long a file must not have changed to be complete")
    alerts: SecretStr | None = Field(
        None, description="where alerts go: one or several apprise URLs, separated by spaces; none: nowhere"
    )
    dagster_postgres_url: SecretStr | None = Field(
        None,
        description="PostgreSQL for Dagster's records, postgresql+psycopg2://user:password@host/name; none: SQLite",
    )
    keep_runs_days: int = Field(90, ge=1, description="days that Dagster's runs, events and logs stay")
    published_group: str = Field("", description="group that may read what is published; empty: its user alone")
    backfill_from: date = Field(date(2015, 1, 1), description="first day that the UI's job backfill offers")
    keep_versions: int = Field(3, ge=1, description="published versions that stay")
    buckets: int = Field(0, ge=0, description="hash buckets of customers held in memory one at a time; 0: by size")
    memory_limit: str = Field("2GB", description="DuckDB's memory limit; it spills to disk beyond")
    threads: int = Field(2, ge=1, description="DuckDB's threads")
    dbt_target: Literal["duckdb", "spark"] = Field("duckdb", description="the engine of SQL and of customers' rows")
    spark_remote: SecretStr | None = Field(
        None, description="Spark Connect server of the target spark, as sc://host:15002; a token may stand in it"
    )
    connections: dict[str, SecretStr] = Field(
        {}, description="URL or secret of each connection of the source file, as CLIENTELE_CONNECTIONS__<NAME>"
    )

    mlflow_uri: SecretStr | None = Field(
        None, description="MLflow tracking store that trainings are mirrored to, such as http://host:5000"
    )

    privacy_key: SecretStr | None = Field(
        None, description="key of pseudonymous ids and of who was erased; none: one that is made in the vault"
    )

    def model_post_init(self, _context: object) -> None:
        """Make the paths absolute, so that no later change of the working folder moves them."""
        for name in ("data_dir", "source"):
            object.__setattr__(self, name, getattr(self, name).expanduser().absolute())

    @property
    def spark_url(self) -> str:
        """The Connect server; dbt's profile falls back to the same."""
        return self.spark_remote.get_secret_value() if self.spark_remote else "sc://127.0.0.1:15002"

    def environment(self) -> dict[str, str]:
        """This process's environment with these settings in it, for a child that makes its own `Settings`."""
        plain = self.model_dump(exclude=SECRETS)  # they come from the environment as it is
        given = {f"CLIENTELE_{name.upper()}": str(value) for name, value in plain.items()}
        return dict(os.environ) | given

    def secrets(self) -> list[str]:
        """Every secret as it is, for whoever has to keep them out of a text."""
        given = [getattr(self, name) for name in SECRETS - {"connections"}] + list(self.connections.values())
        return [secret.get_secret_value() for secret in given if secret]

    @property
    def raw_dir(self) -> Path:
        """What was received, as Parquet."""
        return self.data_dir / "raw"

    @property
    def vault_dir(self) -> Path:
        """Direct identifiers and free text, apart from everything else."""
        return self.data_dir / "vault"

    @property
    def landing_dir(self) -> Path:
        """What was fetched from databases and APIs, as Parquet; in the vault, for nothing was taken out of it yet."""
        return self.vault_dir / "landing"

    @property
    def history_dir(self) -> Path:
        """Ledger, memberships, model files, decisions: append-only."""
        return self.data_dir / "history"

    @property
    def published_dir(self) -> Path:
        """What BI reads."""
        return self.data_dir / "published"

    @property
    def dagster_home(self) -> Path:
        """The Dagster instance that the command line and the UI share."""
        return self.data_dir / "dagster"

    @property
    def file_hashes(self) -> Path:
        """The hashes of files that were read, by when they last changed."""
        return self.data_dir / "file_hashes.json"

    @property
    def made_once_dir(self) -> Path:
        """What follows from the program alone, for all data folders; in this one where the project is read-only."""
        return (DBT_PROJECT_DIR if os.access(DBT_PROJECT_DIR, os.W_OK) else self.dbt_target_dir) / "target"

    @property
    def dbt_target_dir(self) -> Path:
        """dbt's results and logs."""
        return self.data_dir / "dbt"

    @property
    def warehouse_file(self) -> Path:
        """The working file: private, disposable."""
        return self.data_dir / "warehouse.duckdb"

    @property
    def scratch_file(self) -> Path:
        """The working file of a run for an earlier day; its name is the catalog's, which the parsed models hold."""
        return self.data_dir / "scratch" / self.warehouse_file.name
