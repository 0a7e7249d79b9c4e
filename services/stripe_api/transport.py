"""How does one request travel? The SDK's own HTTP client, paced, patient with 429s, and timed.

Each answer carries, beside Stripe's headers, `AS_OF`: an instant (seconds, Stripe's clock) at which the
answer's object was surely true or younger: the answer's `Date` less the request's duration, rounded down.
"""

from __future__ import annotations

import math
import random
import ssl
import threading
import time
from collections.abc import Mapping, MutableMapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import stripe
import urllib3

from services.stripe_api import errands, reads
from services.stripe_api.pacing import Pacer

AS_OF = "Trialdesk-As-Of"
_TIMEOUT = (10, 80)  # seconds to connect, to answer: a payment may wait for a slow bank
_TRIES = 8
_LONGEST_PAUSE = 8.0
_BEFORE_SENDING = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)


class Transport(stripe.RequestsClient):
    """The SDK's client for requests. One for an account; safe for many threads."""

    def __init__(self, pacer: Pacer) -> None:
        super().__init__(timeout=_TIMEOUT)
        self._pacer = pacer
        self._journey = threading.local()

    @property
    def _timeout(self) -> tuple[float, float]:
        """What the SDK waits at most for one request: never longer than its errand may take."""
        errand, (to_connect, to_answer) = errands.current(), self._longest
        return errand.at_most(to_connect), errand.at_most(to_answer)

    @_timeout.setter
    def _timeout(self, given: tuple[float, float]) -> None:
        self._longest = given

    def begin_write(self) -> None:
        """Forgets what is known of this thread's last write; see `may_have_arrived` and `went_unanswered`."""
        self._journey.arrived = self._journey.unanswered = False

    def may_have_arrived(self) -> bool:
        """Whether any attempt of this thread's last write may have reached Stripe without a clear answer."""
        return bool(getattr(self._journey, "arrived", False))

    def went_unanswered(self) -> bool:
        """Whether any of them may have reached Stripe and got no answer of its own: none came, or only that
        another attempt is still under way (409)."""
        return bool(getattr(self._journey, "unanswered", False))

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        """One request; a 429 is waited out, as nothing was done (the SDK itself never retries it)."""
        endpoint = endpoint_of(urlsplit(url).path)
        for attempt in range(1, _TRIES + 1):
            errand = errands.current()
            errand.require_time()
            sent = self._pacer.wait(endpoint, gentle=errand.gentle)
            if method.lower() == "get":
                reads.note()
            body, status, answered = self._timed(method, url, headers, post_data)
            if status != 429:
                break
            self._pacer.slow_down(endpoint, answered.get("Stripe-Rate-Limited-Reason"), sent)
            if attempt < _TRIES:
                time.sleep(_pause(attempt))
        return body, status, answered

    def _timed(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any
    ) -> tuple[Any, int, MutableMapping[str, str]]:
        began = time.monotonic()
        try:
            body, status, answered = super().request(method, url, headers, post_data)
        except stripe.APIConnectionError as error:
            if not _never_connected(error):
                self._journey.arrived = self._journey.unanswered = True
            raise
        if status >= 500 or status == 409:
            self._journey.arrived = True
            self._journey.unanswered = self.went_unanswered() or status == 409
        timed = requests.structures.CaseInsensitiveDict(answered)
        if date := date_of(answered):
            timed[AS_OF] = str(math.floor(date - (time.monotonic() - began)))
        return body, status, timed


def date_of(headers: Mapping[str, str]) -> int | None:
    """The answer's `Date` in UTC seconds, None where there is none."""
    written = headers.get("Date")
    return int(parsedate_to_datetime(written).timestamp()) if written else None


def endpoint_of(path: str) -> str:
    """What Stripe counts requests by: the path with its ids taken out, e.g. `/v1/invoices/*/pay`."""
    parts = path.strip("/").split("/")
    return "/" + "/".join(
        "*" if any(c.isdigit() for c in part) and i > 0 else part for i, part in enumerate(parts)
    )


def _pause(attempt: int) -> float:
    return min(_LONGEST_PAUSE, 0.25 * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1)


def _never_connected(error: stripe.APIConnectionError) -> bool:
    """Whether the connection itself failed, so that nothing was sent.

    A TLS error may come in the middle of an answer; only a refused certificate surely comes before.
    """
    cause: object = error.__cause__
    while isinstance(cause, BaseException):
        if isinstance(cause, _BEFORE_SENDING):
            return True
        inner = getattr(cause, "reason", None)  # urllib3 keeps the cause there, ssl a text
        cause = inner if isinstance(inner, BaseException) else next(iter(cause.args), None)
    return False
