"""What may a browser load and do on our pages, and from where may it reach us? Pure ASGI middleware."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' ws: wss: data: blob:",
    "worker-src": "'self' blob:",
    "frame-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_REFUSAL = (
    "This desk has no sign-in, so it answers on its own machine only.\n"
    "Open it there at http://localhost, or add an [auth] section to .streamlit/secrets.toml "
    "(see secrets.example.toml) and start it again.\n"
)


class SecurityHeaders:
    """Puts the content security policy and its like on every answer.

    `page` is the HTML that the server sends: the scripts written in it are allowed by their hashes.
    """

    def __init__(self, app: ASGIApp, *, page: str = "") -> None:
        self.app = app
        self.headers = {"Content-Security-Policy": policy(page), **_HEADERS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, guarded)


def policy(page: str = "") -> str:
    """The content security policy for pages like this one."""
    hashes = (_hash(script) for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL))
    scripts = " ".join((_POLICY["script-src"], *hashes))
    return "; ".join(f"{name} {sources}" for name, sources in (_POLICY | {"script-src": scripts}).items())


def _hash(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


class LocalOnly:
    """Refuses whoever is not on this machine, while `applies()` says that there is no sign-in.

    A name other than localhost in the Host header is refused too: a web page elsewhere could point its
    own name at this machine (DNS rebinding) and act as the local admin.
    """

    def __init__(self, app: ASGIApp, *, applies: Callable[[], bool]) -> None:
        self.app = app
        self.applies = applies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or websocket."""
        if scope["type"] == "lifespan" or not self.applies() or is_local(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(_REFUSAL, status_code=403)(scope, receive, send)


def is_local(scope: Scope) -> bool:
    """Whether a request comes from this machine, straight, and calls it by a local name."""
    headers = Headers(scope=scope)
    client = scope.get("client")
    return (
        client is not None
        and is_loopback(client[0])
        and is_loopback(_host_name(headers.get("host", "")))
        and not any(name in headers for name in _FORWARDED)
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine and nobody else's."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _host_name(header: str) -> str:
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].lower()
