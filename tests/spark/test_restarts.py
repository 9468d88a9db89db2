from pathlib import Path

from pydantic import SecretStr

from orchestration.engines.spark import SparkWarehouse, connect
from orchestration.settings import Settings
from tests.spark.servers import connect_server, needs_spark

pytestmark = needs_spark


def test_what_a_server_that_died_left_neither_stops_a_run_nor_stays(tmp_path: Path) -> None:
    left = tmp_path / "spark" / "tables" / "marts.db" / "dim_customers"
    left.mkdir(parents=True)
    (left / "part.parquet").touch()
    with connect_server(tmp_path / "spark") as (url, _):
        settings = Settings(data_dir=tmp_path, dbt_target="spark", spark_remote=SecretStr(url))
        with SparkWarehouse(tmp_path / "warehouse.duckdb", settings=settings).kept_open():
            assert not left.exists()
            session = connect(url)
            session.sql("create schema marts")
            session.sql("create table marts.dim_customers using parquet as select 1 as customer_id")
            assert left.exists()
    assert not left.parent.exists()
