"""The desk's HTTP routes without its pages, on a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from services import public
from tests.support.sandbox import free_port


@contextmanager
def served() -> Iterator[str]:
    """The address of our routes while they are served."""
    port, inside = free_port(), Starlette(middleware=[Middleware(public.PublicRoutes)])
    server = uvicorn.Server(uvicorn.Config(inside, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
