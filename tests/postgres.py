"""A real PostgreSQL server for the tests that need one, from the Debian package `postgresql`."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
BIN = Path(found).resolve().parent if (found := shutil.which("initdb")) else (_FOUND[0] if _FOUND else None)
LACK = "PostgreSQL is not installed (Debian package postgresql)"


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A server of its own in an empty folder, on a free port of 127.0.0.1; gives the URL of an empty database.

    PostgreSQL refuses to run as root, so root hands the folder to the package's user.
    """
    assert BIN is not None, LACK
    as_user = []
    if os.geteuid() == 0:
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        for parent in [folder, *list(folder.parents)[:3]]:
            parent.chmod(parent.stat().st_mode | 0o011)
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
