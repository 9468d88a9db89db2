from pathlib import Path

import duckdb
import polars as pl
import pytest

from benchmarks.generate import write_shop as write_large_shop
from orchestration.publishing.generations import DATABASE
from orchestration.settings import PROJECT_DIR, Settings
from tests.commands import Finished, clientele
from tests.spark.servers import connect_server, needs_spark

pytestmark = needs_spark
NEAR = 1e-9
ABOUT_THE_RUN = {"quality.loads", "ml.model_versions"}  # moments of the run stand in them
OF_THIS_RUN = {"trained_at", "received_at"}


def on_spark(source: Path, folder: Path) -> Finished:
    """`clientele run` with the target spark, against a server of its own."""
    with connect_server(folder / "spark") as (url, _):
        return clientele("run", "--json", source=source, data_dir=folder / "data", dbt_target="spark", spark_remote=url)


def tables(settings: Settings) -> dict[str, pl.DataFrame]:
    with duckdb.connect(str(settings.published_dir / "current" / DATABASE), read_only=True) as connection:
        names = connection.sql(
            "select table_schema || '.' || table_name from information_schema.tables order by 1"
        ).fetchall()
        return {name: connection.sql(f"from {name}").pl() for (name,) in names}


def differences(ours: pl.DataFrame, theirs: pl.DataFrame) -> list[str]:
    """The columns that differ, doubles by more than NEAR of themselves, once both frames are sorted."""
    if ours.schema != theirs.schema or ours.height != theirs.height:
        return ["the columns or the number of rows"]
    doubles = [name for name, kind in ours.schema.items() if kind == pl.Float64]
    exact = [name for name in ours.columns if name not in {*doubles, *OF_THIS_RUN}]

    def ordered(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.sort([*exact, *(pl.col(name).round(6) for name in doubles)], nulls_last=True)

    pair = ordered(ours), ordered(theirs)
    found = [name for name in exact if not pair[0][name].eq_missing(pair[1][name]).all()]
    for name in doubles:
        one, other = (frame[name] for frame in pair)
        near = (one - other).abs().fill_null(0).fill_nan(0) <= NEAR * (1 + one.abs().fill_null(0).fill_nan(0))
        if not near.all() or not one.is_null().equals(other.is_null()):
            found.append(name)
    return found


def assert_equal(duck: Settings, spark: Settings) -> None:
    ours, theirs = tables(duck), tables(spark)
    assert set(ours) == set(theirs)
    assert len(ours) > 60
    found = {name: wrong for name, frame in ours.items() if (wrong := differences(frame, theirs[name]))}
    assert found == {}


def test_a_comparison_sees_a_cent_and_a_billionth() -> None:
    frame = pl.DataFrame({"a": ["x", "y"], "b": [1.0, 2.0]})
    assert differences(frame, frame.reverse()) == []
    assert differences(frame, frame.with_columns(b=pl.col("b") + 1e-8)) == ["b"]
    assert differences(frame, frame.with_columns(a=pl.lit("x"))) == ["a"]


def test_every_table_of_the_tiny_shop_is_the_same_from_spark(settings: Settings, tmp_path: Path) -> None:
    done = on_spark(settings.source, tmp_path)
    assert done.exit_code == 0, done.stderr
    assert_equal(settings, done.settings)
    assert not (tmp_path / "data" / "warehouse.spark").exists()


@pytest.mark.full
@pytest.mark.parametrize("shop", ["demo", "100k"])
def test_every_table_is_the_same_from_spark(shop: str, tmp_path: Path) -> None:
    source = PROJECT_DIR / "sources" / "complete_journey.yml"
    if shop == "100k":
        source = write_large_shop(tmp_path / "shop", customers=100_000)
    duck = clientele("run", "--json", source=source, data_dir=tmp_path / "duck")
    assert duck.exit_code == 0, duck.stderr
    done = on_spark(source, tmp_path)
    assert done.exit_code == 0, done.stderr
    assert_equal(duck.settings, done.settings)
