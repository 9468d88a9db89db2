"""A CRM on 127.0.0.1 that takes webhooks as a real one would, and fails in all the usual ways, as a seed says."""

import base64
import hashlib
import hmac
import itertools
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = b"a secret between the two"
FAULTS = ("500", "503", "429", "reset", "reset_after", "slow_after", "garbage")
"""Answers of a busy server, connections that end before and after it has applied a batch, an answer that is too late,
and one that is no HTTP."""


class Crm(ThreadingHTTPServer):
    """What it applied, change by change, and the customers it holds now."""

    daemon_threads = True

    def __init__(self, *, seed: int = 0, fault_share: float = 0.0, faults: tuple[str, ...] = FAULTS) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.random = random.Random(seed)  # noqa: S311 - a plan of faults
        self.fault_share, self.plan = fault_share, itertools.cycle(faults)
        self.answers: list[tuple[int, dict[str, str]]] = []  # instead of its own, one a request
        self.poison: set[str] = set()  # customers whom it cannot take
        self.requests: list[tuple[float, dict[str, str], bytes]] = []
        self.applied: Counter[str] = Counter()
        self.seen: set[str] = set()  # every customer that it was ever told of
        self.held: dict[str, dict[str, Any]] = {}
        self.revisions: dict[str, int] = {}
        self.met: Counter[str] = Counter()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/hooks/open-sesame"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""

    def apply(self, changes: list[dict[str, Any]]) -> None:
        """Each change once, by its id; the last revision of a customer wins."""
        for change in changes:
            customer = change["customer_id"]
            self.seen.add(customer)
            if change["change_id"] in self.applied or change["revision"] <= self.revisions.get(customer, 0):
                continue
            self.applied[change["change_id"]] += 1
            self.revisions[customer] = change["revision"]
            if change["operation"] == "removed":
                self.held.pop(customer, None)
            else:
                self.held[customer] = change["row"]


class _Handler(BaseHTTPRequestHandler):
    server: Crm

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        crm = self.server
        with crm.lock:
            crm.requests.append((time.monotonic(), dict(self.headers), body))
            fault = next(crm.plan) if crm.random.random() < crm.fault_share else ""
            crm.met[fault] += 1
            answer = crm.answers.pop(0) if crm.answers else None
            changes = json.loads(body)["changes"]
            if answer is not None:
                self._say(*answer)
            elif not _is_signed(self.headers, body):
                self._say(401)
            elif fault.isdigit():
                self._say(int(fault), {"Retry-After": "0"})
            elif fault == "reset":
                self._reset()
            elif fault == "garbage":
                self.wfile.write(b"what?\r\n\r\n")
            elif any(change["customer_id"] in crm.poison for change in changes):
                self._say(422)
            else:
                crm.apply(changes)
        if answer is None and fault == "reset_after":
            self._reset()
        elif answer is None and fault == "slow_after":
            time.sleep(0.3)
        elif answer is None and not fault:
            self._say(200)

    def _say(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def _is_signed(headers: Any, body: bytes) -> bool:
    named = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode()
    expected = base64.b64encode(hmac.digest(SECRET, named + body, hashlib.sha256)).decode()
    return hmac.compare_digest(headers["webhook-signature"], f"v1,{expected}")


@contextmanager
def crm(**plan: Any) -> Iterator[Crm]:
    """A CRM for as long as the block lasts."""
    with Crm(**plan) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
