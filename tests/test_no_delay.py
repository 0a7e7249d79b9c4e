"""Every connection sends what is ready, also on a socket that is bound as Streamlit binds it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.sync.client import connect

from services.no_delay import NoDelay


async def tell(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers whether its own connection sends at once."""
    if scope["type"] == "lifespan":
        return
    own = receive.__self__.transport.get_extra_info("socket")  # type: ignore[attr-defined]
    said = "at once" if own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) else "later"
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": said})
        await send({"type": "websocket.close"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said.encode()})


@pytest.fixture(params=[tell, NoDelay(tell)], ids=["without", "with"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A server's address (host and port), and what its connections should say."""
    app: ASGIApp = request.param
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="error", lifespan="off", ws="websockets-sansio")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"127.0.0.1:{bound.getsockname()[1]}", "later" if app is tell else "at once"
        server.should_exit = True
        thread.join()


def test_requests_and_websockets_are_answered_at_once(served: tuple[str, str]) -> None:
    address, expected = served
    assert requests.get(f"http://{address}", timeout=10).text == expected
    with connect(f"ws://{address}") as websocket:
        assert websocket.recv(10) == expected


_DESK = """
import asyncio, socket
import dashboard

class Connection:
    def __init__(self):
        self.transport, self.socket = self, socket.socket()

    def get_extra_info(self, name):
        return self.socket

    async def receive(self):
        return {"type": "http.request", "body": b""}

    async def send(self, message):
        pass

visitor = Connection()
asked = {"type": "http", "method": "GET", "path": "/healthz", "raw_path": b"/healthz", "query_string": b"",
         "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("localhost", 80),
         "scheme": "http", "root_path": "", "http_version": "1.1"}
asyncio.run(dashboard.app(asked, visitor.receive, visitor.send))
print("nodelay", visitor.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
"""


def test_the_desk_answers_so(tmp_path: Path) -> None:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("STRIPE_", "DATABASE_"))
    }
    asked = subprocess.run(
        [sys.executable, "-c", _DESK], cwd=Path(__file__).resolve().parents[1], timeout=60,
        env=kept | {"DATA_DIR": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert asked.stdout.splitlines()[-1:] == ["nodelay 1"], asked.stderr
