"""What a browser may load, and who may ask at all."""

from __future__ import annotations

import base64
import hashlib

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.security_headers import LocalOnly, SecurityHeaders, is_loopback, policy

LOCAL = "http://localhost:8501"


def client(*, applies: bool = True, host: str = "127.0.0.1", base: str = LOCAL) -> TestClient:
    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    app = Starlette(
        routes=[Route("/", lambda _: PlainTextResponse("in")), WebSocketRoute("/stream", stream)],
        middleware=[Middleware(SecurityHeaders), Middleware(LocalOnly, applies=lambda: applies)],
    )
    return TestClient(app, client=(host, 5000), base_url=base)


def test_every_answer_carries_the_policy_even_one_that_is_not_found() -> None:
    for path in ("/", "/nowhere"):
        headers = client().get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_scripts_written_in_the_page_are_allowed_by_their_hash_alone() -> None:
    digest = base64.b64encode(hashlib.sha256(b"\n run() ").digest()).decode()
    allowed = policy("<html><script>\n run() </script><script src='x.js'></script>")
    assert f"script-src 'self' blob: 'sha256-{digest}';" in allowed
    scripts = next(part for part in allowed.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts


@pytest.mark.parametrize("base", [LOCAL, "http://127.0.0.1:8501", "http://[::1]:8501"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_answered(base: str, host: str) -> None:
    assert client(host=host, base=base).get("/").text == "in"


@pytest.mark.parametrize(
    ("host", "base", "headers"),
    [
        ("192.168.1.7", LOCAL, {}),
        ("::ffff:10.0.0.1", LOCAL, {}),
        ("127.0.0.1", "http://evil.example:8501", {}),
        ("127.0.0.1", "http://localhost.evil.example", {}),
        ("127.0.0.1", LOCAL, {"X-Forwarded-For": "203.0.113.9"}),
        ("127.0.0.1", LOCAL, {"Forwarded": "for=203.0.113.9"}),
    ],
)
def test_everybody_else_is_refused_with_a_sentence(host: str, base: str, headers: dict[str, str]) -> None:
    answer = client(host=host, base=base).get("/", headers=headers)
    assert answer.status_code == 403
    assert "no sign-in" in answer.text
    assert "content-security-policy" in answer.headers


def test_a_websocket_from_elsewhere_is_closed() -> None:
    with client().websocket_connect("ws://localhost:8501/stream") as socket:
        assert socket.receive_text() == "hello"
    far = client(host="192.168.1.7")
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        far.websocket_connect("ws://localhost:8501/stream") as socket,
    ):
        socket.receive_text()
    assert closed.value.code == 1008


def test_with_sign_in_or_on_the_sandbox_anybody_may_ask() -> None:
    assert client(applies=False, host="192.168.1.7", base="http://desk.company.com").get("/").text == "in"


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("0.0.0.0", False),
     ("", False), ("::", False), ("desk", False), ("127.0.0.1.evil.example", False)],
)  # fmt: skip
def test_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local
