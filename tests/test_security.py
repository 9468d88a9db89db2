"""What must hold wherever one looks: names that become paths, secrets, pickles, telemetry, and who may read what."""

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from pydantic import SecretStr, ValidationError

from orchestration.cli.service import dev, viewer
from orchestration.definitions import build_definitions
from orchestration.errors import InputError
from orchestration.intake import landing
from orchestration.intake.source_file import load_source
from orchestration.models import mlflow_mirror
from orchestration.runs.instance import prepare_instance
from orchestration.runs.run import parse_day
from orchestration.settings import DBT_PROJECT_DIR, PROJECT_DIR, Settings
from orchestration.storage.permissions import keep_private, share
from orchestration.storage.segment_snapshots import freeze
from orchestration.warehouse import reader
from tests.commands import Finished, clientele
from tests.shop import SOURCE

HOSTILE = (
    "../up", "..", ".", "/etc/passwd", "a/b", "a\\b", "a\0b", "", " ", "a b", "a;b", "~", "$HOME", "-rf", "a\nb", "a\n",
    "x" * 300, "é", "a'b", 'a"b', "%2e%2e", "*",
)  # fmt: skip


def at(document: dict[str, Any], *steps: str) -> dict[str, Any]:
    for step in steps:
        document = document.setdefault(step, {})
    return document


def named(name: str, *steps: str, value: object) -> Callable[[dict[str, Any]], None]:
    def put(document: dict[str, Any]) -> None:
        at(document, *steps)[name] = value

    return put


PLACES: dict[str, Callable[[str], Callable[[dict[str, Any]], None]]] = {
    "the source": lambda name: lambda document: document.update(name=name),
    "an entity": lambda name: named(name, "entities", value={"files": "x.csv", "columns": {"customer_id": "a"}}),
    "a column": lambda name: named(name, "entities", "customers", "columns", value="tier"),
    "a lookup": lambda name: named(
        name, "entities", "customers", "lookups", value={"files": "x.csv", "key": "a", "by": "b"}
    ),
    "a connection": lambda name: named(name, "connections", value={"tables": {"orders": {}}}),
    "a fetched table": lambda name: named(name, "connections", "erp", "tables", value={}),
    "an activation": lambda name: named(name, "actions", "activations", value={"folder": "."}),
    "a strategy": lambda name: named(name, "segments", "rules", value={"big": "frequency_count > 1"}),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_becomes_a_path_is_only_a_name(place: str, name: str, tmp_path: Path) -> None:
    if (place, name) in {("a strategy", "é")}:
        pytest.skip("a letter like any other, and no folder")
    document = yaml.safe_load(SOURCE)
    PLACES[place](name)(document)
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(document, allow_unicode=True))
    with pytest.raises(InputError) as error:
        load_source(tmp_path / "shop.yml")
    assert "shop.yml" in str(error.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_other_names_that_a_user_gives_are_refused_before_anything_is_touched(name: str, tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text(SOURCE)
    settings = Settings(data_dir=tmp_path / "data", source=tmp_path / "shop.yml")
    words = "Nothing is published yet" if name == "é" else "is no name of a snapshot"
    with pytest.raises(InputError, match=words):
        freeze(settings, name=name, strategy="rfm", segment="champions", now=None)  # type: ignore[arg-type]
    if name:
        with pytest.raises(InputError):
            parse_day(name)
    assert not settings.data_dir.exists()


def imports_and_calls() -> Iterator[tuple[Path, str]]:
    """Every module that is imported, and every keyword that is given, in the project's own code."""
    for folder in ("orchestration", "ml", "benchmarks", "deploy", "dashboard"):
        for file in (PROJECT_DIR / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    yield from ((file, alias.name) for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    yield file, node.module or ""
                    yield from ((file, f"{node.module}.{alias.name}") for alias in node.names)
                elif isinstance(node, ast.Call):
                    yield from ((file, f"{keyword.arg}=") for keyword in node.keywords)
                    yield file, ast.unparse(node.func)


def test_nothing_is_pickled_or_evaluated() -> None:
    unsafe = ("pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "torch")
    calls = {
        "eval",
        "exec",
        "compile",
        "yaml.load",
        "yaml.unsafe_load",
        "pl.read_ipc_unsafe",
        "allow_pickle=",
        "shell=",
    }
    found = list(imports_and_calls())
    assert len(found) > 1000
    assert [(f.name, word) for f, word in found if word.split(".")[0] in unsafe or word in calls] == []


def test_no_asset_hands_anything_to_dagster_to_be_pickled(settings: Settings) -> None:
    assert type(build_definitions(settings).resources["io_manager"]).__name__ == "IOManagerDefinition"
    kept = [file for file in (settings.dagster_home / "storage").rglob("*") if file.is_file()]
    assert [file for file in kept if "compute_logs" not in file.parts and file.suffix != ".db"] == []
    assert [file for file in settings.data_dir.rglob("*") if file.suffix in (".pkl", ".pickle", ".joblib")] == []


SECRET = "hunter2-canary"  # noqa: S105 - a canary
GIVEN: dict[str, Any] = {
    "connections": {"erp": SecretStr(f"postgresql://me:{SECRET}@db/shop")},
    "mlflow_uri": SecretStr(f"https://me:{SECRET}@mlflow"),
    "alerts": SecretStr(f"json://me:{SECRET}@host"),
    "privacy_key": SecretStr(f"{SECRET}-{'k' * 64}"),
    "dagster_postgres_url": SecretStr(f"postgresql+psycopg2://me:{SECRET}@db/records"),
    "spark_remote": SecretStr(f"sc://spark:15002/;token={SECRET}"),
}


def test_every_secret_is_masked_wherever_settings_are_shown(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, **GIVEN)
    assert len(settings.secrets()) == len(GIVEN)
    secret_fields = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret_fields == set(GIVEN)
    for shown in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert SECRET not in shown
    assert SECRET not in str(settings.environment())


def test_a_wrong_value_is_not_repeated_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENTELE_THREADS", SECRET)
    with pytest.raises(ValidationError) as error:
        Settings()
    assert SECRET not in str(error.value)


def test_connections_that_are_no_mapping_are_refused_without_being_repeated(tmp_path: Path) -> None:
    done = clientele("status", source=tmp_path / "x.yml", data_dir=tmp_path / "data", connections=f"{{{SECRET}")
    assert done.exit_code == 2
    assert "connections" in done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_secrets_reach_neither_dagsters_home_nor_its_definitions(tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text(SOURCE)
    settings = Settings(data_dir=tmp_path / "data", source=tmp_path / "shop.yml", **GIVEN)
    home = prepare_instance(settings)
    assert [file for file in home.rglob("*") if file.is_file() and SECRET in file.read_text()] == []
    assert SECRET not in repr(build_definitions(settings).get_repository_def().get_all_jobs())


def test_no_tool_reports_to_its_makers() -> None:
    dagster = yaml.safe_load((PROJECT_DIR / "orchestration" / "runs" / "dagster.yaml").read_text())
    dbt = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text())
    assert dagster["telemetry"] == {"enabled": False}
    assert dbt["flags"] == {"send_anonymous_usage_stats": False, "version_check": False}
    assert landing.OPTIONS["runtime.dlthub_telemetry"] is False
    assert mlflow_mirror.QUIET["MLFLOW_DISABLE_TELEMETRY"] == "true"


@pytest.mark.parametrize(("command", "words"), [(dev, ["dev"]), (viewer, ["--read-only"])])
def test_the_ui_listens_on_the_loopback_address_alone(
    command: Callable[..., None], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execve", lambda _path, arguments, _environment: became.append(arguments))
    command(port=3999, data_dir=tmp_path / "data")
    (arguments,) = became
    assert arguments[1 : 1 + len(words)] == words
    assert arguments[arguments.index("-h") + 1] == "127.0.0.1"
    assert arguments[arguments.index("-p") + 1] == "3999"


def open_to_others(folder: Path) -> list[str]:
    """What others than the owner may read, write or enter."""
    paths = [folder, *folder.rglob("*")]
    return [str(path) for path in paths if not path.is_symlink() and path.stat().st_mode & 0o077]


def test_everything_that_a_run_writes_is_its_users_alone(first_run: Finished) -> None:
    assert open_to_others(first_run.settings.data_dir) == []


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that other users can reach."""
    before = os.umask(0o022)
    keep_private()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)
    os.umask(before)


def version(settings: Settings) -> Path:
    """A version folder with a database, made privately."""
    folder = settings.published_dir / "versions" / "run-1"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "clientele.duckdb")) as connection:
        connection.execute("create table t as select 42 as answer")
    (settings.data_dir / "vault").mkdir()
    (settings.data_dir / "vault" / "secret").write_text("x")
    (settings.published_dir / "current").symlink_to("versions/run-1")
    return folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("group", "expected"), [("", "no no"), ("daemon", "42 no")])
def test_a_group_reads_what_is_published_only_if_the_settings_say_so_and_nothing_else(
    reachable: Path, group: str, expected: str
) -> None:
    settings = Settings(data_dir=reachable / "data", published_group=group)
    share(version(settings), settings)
    look = (
        f"for f in published/current/clientele.duckdb vault/secret; do cat {settings.data_dir}/$f >/dev/null 2>&1 "
        "&& echo 42 || echo no; done"
    )
    user = ["setpriv", "--reuid=65534", "--regid=daemon", "--clear-groups"]
    done = subprocess.run([*user, "sh", "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.split() == expected.split()


def test_a_group_that_is_none_is_refused_before_anything_is_published(reachable: Path) -> None:
    settings = Settings(data_dir=reachable / "data", published_group="nobody-of-that-name")
    with pytest.raises(InputError, match="CLIENTELE_PUBLISHED_GROUP"):
        share(version(settings), settings)


READ = """
import sys
from pathlib import Path
from orchestration.warehouse import reader
with reader(Path(sys.argv[1])) as connection:
    print(connection.execute("select answer from t").fetchall()[0][0])
"""


def test_what_is_published_is_read_without_any_right_to_write(reachable: Path) -> None:
    settings = Settings(data_dir=reachable / "data")
    folder = version(settings)
    (folder / "clientele.duckdb").chmod(0o400)
    folder.chmod(0o500)
    bound = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []  # root heeds modes then
    file = folder / "clientele.duckdb"
    write = subprocess.run([*bound, "sh", "-c", f"echo >> {file}"], capture_output=True, check=False)
    assert write.returncode != 0
    done = subprocess.run(
        [*bound, sys.executable, "-c", READ, str(file)], capture_output=True, text=True, check=False, cwd=PROJECT_DIR
    )
    assert done.stdout == "42\n", done.stderr
    assert [path.name for path in folder.iterdir()] == ["clientele.duckdb"]
    folder.chmod(0o700)


@pytest.mark.parametrize(
    "statement",
    [
        "from read_text('/etc/hostname')",
        "copy t to '/tmp/out.csv'",
        "attach '/tmp/other.duckdb'",
        "export database '/tmp/out'",
        "insert into t values (1)",
        "drop table t",
        "set enable_external_access = true",
        "set memory_limit = '1GB'",
        "install httpfs",
        "load httpfs",
        "create secret (type s3)",
    ],
)
def test_a_serving_connection_can_neither_leave_its_file_nor_change_it(reachable: Path, statement: str) -> None:
    settings = Settings(data_dir=reachable / "data")
    with reader(version(settings) / "clientele.duckdb") as connection, pytest.raises(duckdb.Error):
        connection.execute(statement)
