"""The shipped nginx configuration: who gets in, what is passed on, and what a viewer cannot do."""

import base64
import http.client
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.commands import CLIENTELE
from tests.proxy import LACK, NGINX, free_port, nginx

pytestmark = pytest.mark.skipif(NGINX is None, reason=LACK)


class StandIn(BaseHTTPRequestHandler):
    """Says which headers reached it, and agrees to speak websocket."""

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.wfile.write(b"hello")
            return
        body = json.dumps({"port": self.server.server_port, "path": self.path, **self.headers}).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Proxied:
    """The proxy's port, and those behind it."""

    port: int
    operators: int
    viewers: int

    def ask(
        self, path: str, *, user: str | None = None, password: str | None = None, method: str = "GET", **headers: str
    ) -> http.client.HTTPResponse:
        """One request over TLS."""
        context = ssl._create_unverified_context()  # noqa: S323 - the certificate was made a second ago
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=20)
        login = base64.b64encode(f"{user}:{password or 'open'}".encode()).decode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=given | ({"Authorization": f"Basic {login}"} if user else {}))
        return connection.getresponse()


@contextmanager
def stand_in() -> Iterator[int]:
    """A stand-in for the UI on a port of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), StandIn) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    with (
        stand_in() as operators,
        stand_in() as viewers,
        nginx(tmp_path_factory.mktemp("nginx"), operators=operators, viewers=viewers) as port,
    ):
        yield Proxied(port, operators, viewers)


@pytest.mark.parametrize("path", ["/", "/graphql", "/viewer", "/viewer/graphql", "/viewer/../graphql", "//graphql"])
@pytest.mark.parametrize("login", [{}, {"user": "ada", "password": "wrong"}, {"user": "eve"}])
def test_nobody_gets_in_without_a_login(proxied: Proxied, path: str, login: dict[str, str]) -> None:
    answer = proxied.ask(path, **login)
    assert answer.status == 401
    assert "Basic" in answer.headers["WWW-Authenticate"]
    assert b"Host" not in answer.read()


def test_who_logs_in_gets_in_and_the_password_ends_at_the_proxy(proxied: Proxied) -> None:
    answer = proxied.ask("/runs", user="ada")
    assert answer.status == 200
    seen = json.loads(answer.read())
    assert (seen["port"], seen["path"]) == (proxied.operators, "/runs")
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-User"]) == ("https", "ada")
    assert "Authorization" not in seen
    for name in ("X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Strict-Transport-Security"):
        assert answer.headers[name], name


def test_a_viewer_is_let_to_the_viewer_alone(proxied: Proxied) -> None:
    seen = json.loads(proxied.ask("/viewer/runs", user="bob").read())
    assert (seen["port"], seen["path"]) == (proxied.viewers, "/viewer/runs")
    for path in ("/", "/graphql", "/viewer/../graphql"):
        assert proxied.ask(path, user="bob").status == 401


def test_a_page_of_another_site_cannot_use_a_remembered_password(proxied: Proxied) -> None:
    here = f"https://127.0.0.1:{proxied.port}"
    assert proxied.ask("/graphql", user="ada", method="POST", Origin=here).status == 200
    assert proxied.ask("/graphql", user="ada", method="POST", Origin="https://evil.example").status == 403
    assert proxied.ask("/graphql", user="ada", method="POST", Origin=f"{here}.evil.example").status == 403
    assert proxied.ask("/graphql", user="ada", method="POST", Origin="null").status == 403


@pytest.mark.parametrize(("login", "status"), [("", b"401"), ("ada:open", b"101")])
def test_websockets_are_passed_on_and_need_the_login_too(proxied: Proxied, login: str, status: bytes) -> None:
    context = ssl._create_unverified_context()  # noqa: S323 - the certificate was made a second ago
    with socket.create_connection(("127.0.0.1", proxied.port)) as plain, context.wrap_socket(plain) as wire:
        lines = ["GET /graphql HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"]
        if login:
            lines.append(f"Authorization: Basic {base64.b64encode(login.encode()).decode()}")
        wire.sendall("\r\n".join([*lines, "", ""]).encode())
        wire.settimeout(10)
        received = b""
        while b"\r\n\r\n" not in received:
            received += wire.recv(4096)
    assert received.split()[1] == status
    assert (b"hello" in received) == (status == b"101") or b"101" in received


MUTATION = 'mutation { startSchedule(scheduleSelector: {repositoryName: "__repository__", repositoryLocationName: "x", scheduleName: "refresh_schedule"}) { __typename } }'  # noqa: E501


@pytest.mark.full
def test_the_real_viewer_shows_everything_behind_the_proxy_and_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    port, folder = free_port(), tmp_path_factory.mktemp("viewer")
    command = [CLIENTELE, "viewer", "--port", str(port), "--path-prefix", "/viewer", "--data-dir", str(folder / "data")]
    with (
        stand_in() as operators,
        nginx(tmp_path_factory.mktemp("nginx"), operators=operators, viewers=port) as front,
        subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as viewer,
    ):
        proxied = Proxied(front, operators, port)
        try:
            for _ in range(240):
                answer = proxied.ask("/viewer/server_info", user="bob")
                if answer.status == 200:
                    break
                assert viewer.poll() is None, viewer.stdout and viewer.stdout.read()
                time.sleep(0.5)
            assert json.loads(answer.read())["dagster_webserver_version"]
            assert "graphql" not in str(proxied.ask("/viewer/server_info").read())
            assert listening(port) == {"0100007F"}  # 127.0.0.1
            asked = asked_of(port, "{ permissions { permission value } schedulesOrError: version }")
            values = {row["permission"]: row["value"] for row in asked["data"]["permissions"]}
            assert values
            assert not any(values.values())
            changed = asked_of(port, MUTATION)
            assert "Unauthorized" in json.dumps(changed)
        finally:
            viewer.terminate()
            viewer.wait(30)


def listening(port: int) -> set[str]:
    """The addresses on which somebody listens on a port, as the kernel writes them."""
    rows = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}


def asked_of(port: int, query: str) -> dict[str, dict[str, list[dict[str, bool | str]]]]:
    """What GraphQL answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"query": query})
    connection.request("POST", "/viewer/graphql", body=body, headers={"Content-Type": "application/json"})
    answer: dict[str, dict[str, list[dict[str, bool | str]]]] = json.loads(connection.getresponse().read())
    return answer
