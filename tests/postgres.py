"""A real PostgreSQL server for the tests that need one, from the Debian package `postgresql`."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
BIN = Path(found).resolve().parent if (found := shutil.which("initdb")) else (_FOUND[0] if _FOUND else None)
LACK = "PostgreSQL is not installed (Debian package postgresql)"


@contextmanager
def server() -> Iterator[str]:
    """A server of its own in a new folder, on a free port of 127.0.0.1; gives the URL of an empty database."""
    with TemporaryDirectory(prefix="clientele-postgres-") as folder:
        yield from _serve(Path(folder))


def _serve(folder: Path) -> Iterator[str]:
    assert BIN is not None, LACK
    as_user = []
    if os.geteuid() == 0:  # as whom PostgreSQL refuses to run, so that the folder goes to the package's user
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "pg"
    password = folder / "password"
    password.write_text("open:sesame")
    password.chmod(0o644)
    run = {"check": True, "cwd": folder, "stdout": subprocess.DEVNULL}
    subprocess.run(
        [*as_user, BIN / "initdb", "-D", data, "-U", "shop", "--auth=scram-sha-256", f"--pwfile={password}", "-N"],
        **run,
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    subprocess.run([*as_user, BIN / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"], **run)
    try:
        yield f"postgresql+psycopg2://shop:open%3Asesame@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*as_user, BIN / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)
