"""Spark from the PySpark wheel, on the loopback: one Connect server, or a master, two workers and a Connect server.

The wheel lies in an environment of its own (CLIENTELE_TEST_SPARK_HOME); workers run the Python of the tests.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestration.settings import PROJECT_DIR

HOME = os.environ.get("CLIENTELE_TEST_SPARK_HOME", "")
SECONDS_TO_START = 240
STEPS = {"spark.ui.showConsoleProgress": "false", "spark.sql.shuffle.partitions": "4", "spark.driver.host": "127.0.0.1"}

needs_spark = pytest.mark.skipif(
    not HOME or not shutil.which("java"),
    reason="CLIENTELE_TEST_SPARK_HOME names no PySpark wheel, or there is no Java (docs/spark.md)",
)


@dataclass
class Cluster:
    """A cluster that runs: where clients go, where it tells of itself, and its workers."""

    url: str
    ui: str
    workers: list["subprocess.Popen[bytes]"]

    def executors(self) -> list[dict[str, Any]]:
        """What Spark says of its executors, of those that are gone too; the driver is none."""
        (application,) = self._told("applications")
        found = self._told(f"applications/{application['id']}/allexecutors")
        return [executor for executor in found if executor["id"] != "driver"]

    def _told(self, path: str) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.ui}/api/v1/{path}", timeout=30) as answer:  # noqa: S310 - on the loopback
            told: list[dict[str, Any]] = json.load(answer)
            return told


@contextmanager
def connect_server(folder: Path, *, master: str = "local[2]") -> Iterator[tuple[str, str]]:
    """The address of a Connect server, and that of its UI."""
    port, ui = _free_port(), _free_port()
    settings = STEPS | {
        "spark.sql.warehouse.dir": str(folder / "tables"),
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.ui.port": str(ui),
        "spark.executor.memory": "1g",
        "spark.executor.cores": "1",
    }
    named = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    submit = [str(Path(HOME) / "bin" / "spark-submit"), "--class", server, "--master", master]
    with _process([*submit, "--driver-memory", "1500m", *named, "spark-internal"], folder, "connect") as process:
        _wait_for(port, process)
        yield f"sc://127.0.0.1:{port}", f"http://127.0.0.1:{ui}"


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A standalone master with two workers, each in a process of its own, and a Connect server in front."""
    port = _free_port()
    start = [str(Path(HOME) / "bin" / "spark-class"), "org.apache.spark.deploy"]
    with ExitStack() as stack:
        words = [start[0], f"{start[1]}.master.Master", "--host", "127.0.0.1", "--port", str(port)]
        master = stack.enter_context(_process([*words, "--webui-port", str(_free_port())], folder, "master"))
        _wait_for(port, master)
        words = [start[0], f"{start[1]}.worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", "1g"]
        workers = [
            stack.enter_context(
                _process(
                    [
                        *words,
                        "--webui-port",
                        str(_free_port()),
                        "--work-dir",
                        str(folder / name),
                        f"spark://127.0.0.1:{port}",
                    ],
                    folder,
                    name,
                )
            )
            for name in ("one", "two")
        ]
        url, ui = stack.enter_context(connect_server(folder, master=f"spark://127.0.0.1:{port}"))
        yield Cluster(url, ui, workers)


@contextmanager
def _process(words: list[str], folder: Path, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    given = {
        "SPARK_HOME": HOME,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "512m",
        "PYSPARK_PYTHON": sys.executable,
        "OMP_NUM_THREADS": "1",
        "POLARS_MAX_THREADS": "1",
        "PYTHONPATH": str(PROJECT_DIR),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, env=dict(os.environ) | given, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "Spark ended before it listened"
        time.sleep(0.5)
    raise AssertionError("Spark did not listen in time")
