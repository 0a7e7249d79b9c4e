"""Which HTML does a browser get for a page? Streamlit's own, told where the server is, and how narrow margins
may be.

Left alone, a page opened by its address first looks for the server below itself (`/customers/_stcore/...`),
and every deep link costs two failed requests and their errors in the console.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route
from streamlit.file_util import get_static_dir

from pages.components.navigation import HOME, PAGES

_TITLE = "<title>Streamlit</title>"
_HEAD = "</head>"
_SCRIPT = "window.prerenderReady = false"  # for crawlers; its place is good for ours
# In a narrow window Streamlit would keep 70 pixels free on each side of every table.
_STYLE = (
    "<style>@media (max-width: 1100px) { "
    'div[data-testid="stMainBlockContainer"] { padding-left: 1.5rem; padding-right: 1.5rem } }</style>'
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
