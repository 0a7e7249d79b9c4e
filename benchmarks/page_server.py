"""A bare server of Stripe's lists: ready-made pages, a latency, rate limits; nothing else.

It exists because the sandbox's own cost would be measured otherwise.
`python -m benchmarks.page_server --templates FILE --objects 20000 --latency-ms 100` prints its port.
`GET /_bench` tells what was asked so far.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

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

    def answer(self, target: str) -> bytes:
        """The whole HTTP answer to a GET."""
        url = urlsplit(target)
        if url.path == "/_bench":
            return _http(200, json.dumps(self._told()).encode())
        if url.path == "/v1/account":
            return _http(200, self._account)
        name = url.path.removeprefix("/v1/")
        if name not in self.shelves:
            return _http(404, b'{"error":{"type":"invalid_request_error","code":"resource_missing"}}')
        self._asked[name] += 1
        reason = self._too_fast(name)
        if reason:
            self._refused[reason] += 1
            return _http(429, b'{"error":{"type":"rate_limit_error"}}', reason)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
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
        more = b"true" if last < end else b"false"
        data = b",".join(shelf.page(begin, last))
        return b'{"object":"list","url":"/v1/%b","has_more":%b,"data":[%b]}' % (name.encode(), more, data)

    def _told(self) -> dict[str, Any]:
        return {
            "objects": {name: len(shelf) for name, shelf in self.shelves.items()},
            "asked": self._asked,
            "refused": self._refused,
        }


def _http(status: int, body: bytes, reason: str = "") -> bytes:
    limited = f"Stripe-Rate-Limited-Reason: {reason}\r\n" if reason else ""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        f"Date: {formatdate(usegmt=True)}\r\nRequest-Id: req_bench\r\n{limited}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


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
