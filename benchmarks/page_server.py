"""A bare server of Stripe's lists: ready-made pages, a latency, rate limits; nothing else.

It exists because the sandbox's own cost would be measured otherwise.
`python -m benchmarks.page_server --templates FILE --objects 20000 --latency-ms 100` prints its port.
`GET /_bench` tells what was asked so far; `GET /_bench/change?share=0.01` has so many of the objects change
now: their events stand at the head of the list of events.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import stripe

from benchmarks import account
from benchmarks.account import Shelf

_MOST = 100


@dataclass(slots=True)
class Bucket:
    """Tokens at `rate` a second up to one second's worth; 0: no limit."""

    rate: float
    tokens: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens, self.at = self.rate, time.monotonic()

    def take(self) -> bool:
        """Whether one more may pass."""
        if not self.rate:
            return True
        now = time.monotonic()
        self.tokens, self.at = min(self.rate, self.tokens + (now - self.at) * self.rate), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Server:
    """The account's lists with what was asked of them."""

    def __init__(self, templates: dict[str, Any], options: argparse.Namespace) -> None:
        self.shelves: dict[str, Shelf] = account.build(templates, options.objects)
        self.latency: float = options.latency_ms / 1000
        self._account = json.dumps(templates["account"]).encode()
        self._whole = Bucket(options.account_rate)
        self._endpoints = {name: Bucket(options.endpoint_rate) for name in self.shelves}
        self._asked: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._listed: list[float] = []  # when the first page was asked for, and the last until now
        self._news = News([], {})

    def answer(self, target: str) -> bytes:
        """The whole HTTP answer to a GET."""
        url = urlsplit(target)
        if url.path == "/_bench":
            return _http(200, json.dumps(self._told()).encode())
        if url.path == "/_bench/change":
            self._news = news(self.shelves, float(parse_qs(url.query)["share"][0]))
            return _http(200, json.dumps({"changed": len(self._news.events)}).encode())
        if url.path == "/v1/account":
            return _http(200, self._account)
        name, _, id = url.path.removeprefix("/v1/").partition("/")
        if name not in self.shelves:
            return _MISSING
        self._asked[name] += 1
        reason = self._too_fast(name)
        if reason:
            self._refused[reason] += 1
            return _http(429, b'{"error":{"type":"rate_limit_error"}}', reason)
        if id:
            return self._one(self.shelves[name], id)
        self._listed = [*self._listed[:1], time.monotonic()]
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if name == "events" and int(query.get("created[gte]", 0)) >= self._news.since:
            return _http(200, self._news.page(query))
        return _http(200, self._page(name, self.shelves[name], query))

    def _too_fast(self, name: str) -> str:
        if not self._endpoints[name].take():
            return "endpoint-rate"
        return "" if self._whole.take() else "global-rate"

    def _page(self, name: str, shelf: Shelf, query: dict[str, str]) -> bytes:
        low = max(int(query.get("created[gte]", 0)), int(query.get("created[gt]", -1)) + 1)
        high = min(int(query.get("created[lte]", 2**40)), int(query.get("created[lt]", 2**40 + 1)) - 1)
        begin, end = shelf.window(low, high)
        if "starting_after" in query:
            begin = max(begin, shelf.after(query["starting_after"]))
        last = min(end, begin + min(_MOST, int(query.get("limit", 10))))
        return _listed(name, shelf.page(begin, last), more=last < end)

    def _one(self, shelf: Shelf, id: str) -> bytes:
        try:
            place = shelf.after(id) - 1
        except KeyError:  # a customer who is deleted is in no list
            return _MISSING
        return _http(200, shelf.page(place, place + 1)[0])

    def _told(self) -> dict[str, Any]:
        return {
            "objects": {name: len(shelf) for name, shelf in self.shelves.items()},
            "span": account.span(self.shelves),
            "asked": self._asked,
            "refused": self._refused,
            "listing_s": self._listed[-1] - self._listed[0] if self._listed else 0,
        }


@dataclass(slots=True)
class News:
    """Events of what changed, newest first, and the place of each; all from one instant on (s)."""

    events: list[bytes]
    places: dict[str, int]
    since: float = math.inf

    def page(self, query: dict[str, str]) -> bytes:
        """The list of them, as Stripe pages it."""
        begin = self.places[query["starting_after"]] + 1 if "starting_after" in query else 0
        last = begin + min(_MOST, int(query.get("limit", 10)))
        return _listed("events", self.events[begin:last], more=last < len(self.events))


def news(shelves: dict[str, Shelf], share: float) -> News:
    """Events of this moment that tell of a share of each list's objects, evenly chosen."""
    step, now = round(1 / share), int(time.time())
    changed = [
        one
        for name, shelf in shelves.items()
        if name not in account.CATALOG and name != "events"
        for place in range(0, len(shelf), step)
        for one in shelf.page(place, place + 1)
    ]
    ids = [f"evt_changed{number}" for number in range(len(changed))]
    events = [_event(id, now, source) for id, source in zip(ids, changed, strict=True)]
    return News(events, {id: place for place, id in enumerate(ids)}, now - 3600)


def _event(id: str, created: int, source: bytes) -> bytes:
    changed = json.loads(source)
    if "metadata" in changed:
        changed["metadata"] = {"changed": id}
    event = {
        "id": id,
        "object": "event",
        "created": created,
        "type": f"{changed['object']}.updated",
        "livemode": False,
        "api_version": stripe.api_version,
        "request": None,
        "pending_webhooks": 0,
        "data": {"object": changed, "previous_attributes": {"metadata": {"changed": None}}},
    }
    return json.dumps(event, separators=(",", ":")).encode()


def _listed(name: str, objects: list[bytes], *, more: bool) -> bytes:
    return b'{"object":"list","url":"/v1/%b","has_more":%b,"data":[%b]}' % (
        name.encode(), b"true" if more else b"false", b",".join(objects),
    )  # fmt: skip


def _http(status: int, body: bytes, reason: str = "") -> bytes:
    limited = f"Stripe-Rate-Limited-Reason: {reason}\r\n" if reason else ""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        f"Date: {formatdate(usegmt=True)}\r\nRequest-Id: req_bench\r\n{limited}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


_MISSING = _http(404, b'{"error":{"type":"invalid_request_error","code":"resource_missing"}}')


class Connection(asyncio.Protocol):
    """One client's connection, kept open; requests come one after another."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers each whole request after the latency."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode()
            if self._server.latency:
                asyncio.get_running_loop().call_later(self._server.latency, self._answer, target)
            else:
                self._answer(target)

    def _answer(self, target: str) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._server.answer(target))


async def serve(server: Server, port: int) -> None:
    """Serves until the process is ended."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", port, backlog=512)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


def main() -> None:
    """Builds the account and serves it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--templates", type=Path, required=True)
    options.add_argument("--objects", type=int, default=20_000)
    options.add_argument("--latency-ms", type=float, default=0)
    options.add_argument("--endpoint-rate", type=float, default=0, help="requests a second; 0: no limit")
    options.add_argument("--account-rate", type=float, default=0, help="requests a second; 0: no limit")
    options.add_argument("--port", type=int, default=0)
    given = options.parse_args()
    asyncio.run(serve(Server(json.loads(given.templates.read_text()), given), given.port))


if __name__ == "__main__":
    main()
