"""An address that is no page's is led to the page that says so; everything else is left alone."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send
from streamlit.testing.v1 import AppTest

from pages.components.document import NoSuchPage
from tests.pages.menu import open_in_menu


def answer(path: str, response: Response, query: str = "") -> tuple[int, str, bytes]:
    """Status, where it leads, and the body of a request whose app gives this response."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": [],
    }  # fmt: skip
    asyncio.run(NoSuchPage(app)(scope, receive, send))
    start, *rest = sent
    headers = dict(start["headers"])
    return start["status"], headers.get(b"location", b"").decode(), b"".join(one["body"] for one in rest)


@pytest.mark.parametrize(
    ("path", "query", "leads"),
    [
        ("/custmers", "", "/not-found?asked=%2Fcustmers"),
        ("/custmers", "status=active", "/not-found?asked=%2Fcustmers"),
        ("/custmers", "q=x&as=Jo+%C2%B7+viewer", "/not-found?asked=%2Fcustmers&as=Jo+%C2%B7+viewer"),
        ("/a/b c&d", "", "/not-found?asked=%2Fa%2Fb+c%26d"),
        ("/Customers", "status=active", "/customers?status=active"),
        ("/failed-payments/", "", "/failed-payments"),
    ],
)
def test_a_document_for_an_address_that_is_no_page_s_leads_on(path: str, query: str, leads: str) -> None:
    assert answer(path, HTMLResponse("<html>"), query) == (307, leads, b"")


@pytest.mark.parametrize("path", ["/", "/customers", "/not-found"])
def test_pages_are_left_alone(path: str) -> None:
    assert answer(path, HTMLResponse("<html>")) == (200, "", b"<html>")


@pytest.mark.parametrize(
    "response",
    [JSONResponse({}), PlainTextResponse("ok"), HTMLResponse("gone", 404), Response(b"", 304)],
)
def test_what_is_no_document_is_left_alone(response: Response) -> None:
    assert answer("/_stcore/health", response) == (response.status_code, "", bytes(response.body))


def texts(app: AppTest) -> str:
    return " ".join(text.value for text in app.text)


def test_the_page_repeats_the_address_and_names_the_pages(pulled: ModuleType, ready: None) -> None:
    app = open_in_menu("not_found", asked="/**custmers**")
    assert "“/**custmers**”" in texts(app)
    links = [link.proto.label for link in app.get("page_link")]
    assert links[:2] == ["Overview", "Customers"] and "Customer" not in links and "No such page" not in links
    assert "…" in texts(open_in_menu("not_found", asked="x" * 300))
