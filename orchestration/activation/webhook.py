"""Changes to an HTTP endpoint: signed, at most so many requests a second, repeated until their fate is known.

Whatever may have arrived is sent again under the same ids, so that a receiver that remembers them applies each change
exactly once. What it refuses for good is a dead letter with its reason. What to send is `changes`' to say.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import requests

from orchestration.activation.changes import Change, Fate, parts
from orchestration.errors import DeliveryError

WAITS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may succeed later."""
WRONG_ADDRESS: Final = frozenset({401, 403, 404, 405, 410})
"""Answers that are about the endpoint and no change: nothing is refused for them."""
LONGEST_WAIT: Final = 60.0
SHOWN: Final = 200  # characters of an answer that become the reason of a dead letter

Fates = list[tuple[Change, Fate, str | None]]


@dataclass
class Webhook:
    """An endpoint. `secret` signs as Standard Webhooks 1.0 does: HMAC-SHA256 over id, time and body."""

    url: str = field(repr=False)
    secret: bytes = field(repr=False)
    batch_size: int = 100
    attempts: int = 6
    per_second: float = 10.0
    timeout_seconds: float = 10.0
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _next: float = field(default=0.0, init=False)

    def deliver(self, changed: Sequence[Change], settle: Callable[[Fates], None]) -> None:
        """Send all changes, in their order; `settle` is told the fate of each as soon as it is known.

        Raises:
            DeliveryError: the endpoint stays away, or refuses us as such; the rest was not sent.
        """
        with requests.Session() as session:
            session.trust_env = False  # no proxy and no .netrc that a shell happens to have
            for part in parts(list(changed), size=self.batch_size):
                self._send(session, part, settle)

    def _send(self, session: requests.Session, part: list[Change], settle: Callable[[Fates], None]) -> None:
        """One batch; one that is refused is sent in halves, until the change at fault is alone."""
        answer = self._answered(session, part)
        if answer.ok:
            settle([(change, "accepted", None) for change in part])
        elif len(part) == 1:
            settle([(part[0], "refused", f"{answer.status_code} {answer.text[:SHOWN]}".strip())])
        else:
            for half in (part[: len(part) // 2], part[len(part) // 2 :]):
                self._send(session, half, settle)

    def _answered(self, session: requests.Session, part: list[Change]) -> requests.Response:
        """The endpoint's answer that is not to wait."""
        body = json.dumps({"changes": [change.as_json() for change in part]}, default=str).encode()
        batch_id = hashlib.sha256("".join(change.change_id for change in part).encode()).hexdigest()[:32]
        wait, said = 0.0, "no answer"
        for attempt in range(self.attempts):
            self._take_turn(wait)
            try:
                answer = session.post(
                    self.url,
                    data=body,
                    headers=self._headers(batch_id, body),
                    timeout=self.timeout_seconds,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                said = type(error).__name__  # its text would hold the address, which may be a secret
                wait = 2.0**attempt
                continue
            said = f"{answer.status_code} {answer.reason}"
            if answer.status_code in WRONG_ADDRESS or answer.is_redirect:
                raise DeliveryError(f"The endpoint answers {said}: correct its address or secret. Nothing is lost.")
            if answer.status_code not in WAITS:
                return answer
            wait = _asked_to_wait(answer) or 2.0**attempt
        raise DeliveryError(f"The endpoint did not take a batch in {self.attempts} attempts ({said}). Nothing is lost.")

    def _take_turn(self, wait: float) -> None:
        """Wait as long as was asked for, and until the next request may leave."""
        now = self.clock()
        due = max(self._next, now + min(wait, LONGEST_WAIT))
        if due > now:
            self.pause(due - now)
        self._next = max(due, now) + 1 / self.per_second

    def _headers(self, batch_id: str, body: bytes) -> dict[str, str]:
        moment = str(int(time.time()))
        signed = hmac.digest(self.secret, f"{batch_id}.{moment}.".encode() + body, hashlib.sha256)
        return {
            "content-type": "application/json",
            "idempotency-key": batch_id,
            "webhook-id": batch_id,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        }


def _asked_to_wait(answer: requests.Response) -> float | None:
    """The seconds of Retry-After; a date in it is left to our own patience."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else None
