"""Why does the desk stop within seconds, whoever is connected? Pure ASGI middleware.

uvicorn waits without limit for connections to end: for one whose request came half, and for one that a
browser opened ahead in the moment of the stop, which it overlooks when it closes those that are idle.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config

SECONDS = 5


class Graceful:
    """Sets how long uvicorn waits for its connections, unless its command line says so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One lifespan, request or websocket."""
        if scope["type"] == "lifespan":
            config = getattr(getattr(receive, "__self__", None), "config", None)
            if isinstance(config, Config) and config.timeout_graceful_shutdown is None:
                config.timeout_graceful_shutdown = SECONDS
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            # The server ends what had its seconds, and says so in a line; raised, it is a traceback as well.
