"""A real nginx with the shipped configuration on a port of 127.0.0.1, from the Debian package `nginx-light`."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.settings import PROJECT_DIR

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
LACK = "nginx is not installed (Debian package nginx-light)"
MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/clientele.conf;
}}
"""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def nginx(folder: Path, *, operators: int, viewers: int) -> Iterator[int]:
    """nginx in front of two ports, with the users ada (operator) and bob (viewer) whose password is `open`."""
    assert NGINX is not None, LACK
    port = free_port()
    secret = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    subprocess.run([*secret, *files], check=True, capture_output=True)
    for user, group in (("ada", "operators"), ("bob", "viewers")):
        hashed = subprocess.run(["openssl", "passwd", "-apr1", "open"], check=True, capture_output=True, text=True)
        (folder / f"{group}.htpasswd").write_text(f"{user}:{hashed.stdout}")
    shipped = (PROJECT_DIR / "deploy" / "nginx.conf").read_text()
    for theirs, ours in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/clientele": str(folder),
        "/etc/nginx/clientele-": f"{folder}/",
        "127.0.0.1:3000": f"127.0.0.1:{operators}",
        "127.0.0.1:3001": f"127.0.0.1:{viewers}",
    }.items():
        assert theirs in shipped, theirs
        shipped = shipped.replace(theirs, ours)
    (folder / "clientele.conf").write_text(shipped)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    for parent in [folder, *list(folder.parents)[:3]]:
        parent.chmod(parent.stat().st_mode | 0o011)  # root's nginx has workers of another user
    for file in folder.glob("*.htpasswd"):
        file.chmod(0o644)
    with subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"], stderr=subprocess.PIPE) as process:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.05)
        try:
            yield port
        finally:
            process.terminate()
            process.wait(10)
