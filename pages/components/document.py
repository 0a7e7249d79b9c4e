"""Which HTML does a browser get for a page? Streamlit's own, told where the server is, and how narrow margins
may be.

Left alone, a page opened by its address first looks for the server below itself (`/customers/_stcore/...`),
and every deep link costs two failed requests and their errors in the console. An address that is no page's
is led to the page that says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from pages.components import acting
from pages.components.navigation import HOME, PAGES

ASKED = "asked"  # the parameter that names the address that is no page's
_TITLE = "<title>Streamlit</title>"
_HEAD = "</head>"
_SCRIPT = "window.prerenderReady = false"  # for crawlers; its place is good for ours
# In a narrow window Streamlit would keep 70 pixels free on each side of every table. Buttons of one color do
# not warn of those after which there is no way back.
_STYLE = (
    "<style>@media (max-width: 1100px) { "
    'div[data-testid="stMainBlockContainer"] { padding-left: 1.5rem; padding-right: 1.5rem } } '
    # a customer without a name is called by the address, of which Streamlit makes a link
    'h1 a[href^="mailto:"], h2 a[href^="mailto:"], h3 a[href^="mailto:"] '
    "{ color: inherit !important; text-decoration: none !important; pointer-events: none } "
    '.st-key-grave button[kind="primary"] { background: #c8323c; border-color: #c8323c }</style>'
)


@cache
def html() -> str:
    """The document of every page. Raises ValueError where this version of Streamlit writes it otherwise."""
    document = (Path(get_static_dir()) / "index.html").read_text()
    for piece in (_TITLE, _SCRIPT, _HEAD):
        if document.count(piece) != 1:
            raise ValueError(f"Streamlit's index.html no longer holds {piece!r} once")
    base = json.dumps(_base() or "/")
    script = f"window.__streamlit = {{BACKEND_BASE_URL: new URL({base}, location.origin).href}}"
    titled = document.replace(_TITLE, "<title>Trialdesk</title>").replace(_SCRIPT, script)
    return titled.replace(_HEAD, f"{_STYLE}{_HEAD}")


def routes() -> list[Route]:
    """One route for each page's address, and the name of the first page, which people type."""
    pages = [Route(_base() + page.path, _document, methods=["GET"]) for page in PAGES.values()]
    return [*pages, Route(f"{_base()}/{HOME}", _home, methods=["GET"])]


def _document(_request: Request) -> HTMLResponse:
    return HTMLResponse(html(), headers={"Cache-Control": "no-cache"})


def _home(request: Request) -> RedirectResponse:
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{_base()}{PAGES[HOME].path}{query}")


def _base() -> str:
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


class NoSuchPage:
    """Leads whoever asks for a page that is not there to the one that says so, by pure ASGI middleware.

    Streamlit answers every address that it does not know with its own document, which opens the first page,
    or nothing at all where the address has several parts. A page's address in capitals, or with a slash
    behind it, is led to that page. Whose part the tab plays goes along.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.pages = {f"{_base()}{page.path}".rstrip("/"): f"{_base()}{page.path}" for page in PAGES.values()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or websocket."""
        if scope["type"] != "http" or scope["path"] in self.pages.values():
            await self.app(scope, receive, send)
            return
        led = False

        async def lead(message: Message) -> None:
            nonlocal led
            if message["type"] == "http.response.start" and _is_document(message):
                led = True
                await RedirectResponse(self._instead(scope))(scope, receive, send)
            if not led:
                await send(message)

        await self.app(scope, receive, lead)

    def _instead(self, scope: Scope) -> str:
        path, query = scope["path"], scope["query_string"].decode()
        if page := self.pages.get(path.rstrip("/").lower()):
            return f"{page}?{query}" if query else page
        part = {name: values for name, values in parse_qs(query).items() if name == acting.KEY}
        told = urlencode({ASKED: [path]} | part, doseq=True)
        return f"{_base()}{PAGES['not-found'].path}?{told}"


def _is_document(start: Message) -> bool:
    """Whether an answer is a page; a file that is downloaded is none."""
    raw: Iterable[tuple[bytes, bytes]] = start["headers"]
    headers = {name.lower(): value for name, value in raw}
    is_html = headers.get(b"content-type", b"").startswith(b"text/html")
    is_file = headers.get(b"content-disposition", b"").startswith(b"attachment")
    return bool(start["status"] == 200) and is_html and not is_file
