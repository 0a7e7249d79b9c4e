"""Why does an answer not wait for the browser to confirm the one before? Pure ASGI middleware.

asyncio sends at once only on sockets that say that they are TCP; Streamlit's server binds one that does not.
Then the system holds every small piece back until the last one is confirmed (Nagle's algorithm), which takes
up to 40 ms: at each answer to a program, and at the end of each run of a page.
"""

from __future__ import annotations

import socket

from starlette.types import ASGIApp, Receive, Scope, Send


class NoDelay:
    """Has each connection send what is ready; does nothing under servers that do not show their sockets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or websocket."""
        transport = getattr(getattr(receive, "__self__", None), "transport", None)
        connection = transport and transport.get_extra_info("socket")
        if connection and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self.app(scope, receive, send)
