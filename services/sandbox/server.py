"""Who listens on the port? The API, the control path and the hosted pages, and what happens by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.sandbox import api, control, hosted, webhooks
from services.sandbox.errors import ApiError, Busy, NotReady
from services.sandbox.service import Service

_log = logging.getLogger(__name__)
_TICK, _DELIVER = 1.0, 0.1
_METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]


class Cutting:
    """Lets a handler cut its connection without an answer: `request.scope["cut"]()`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, with the way to the connection of this server's own protocol."""
        if scope["type"] == "http":
            scope["cut"] = send.__self__.transport.abort  # type: ignore[attr-defined]
        await self._app(scope, receive, send)


def make_app(service: Service, stop: Callable[[], None]) -> ASGIApp:
    """The application; `stop` ends the program."""
    in_use: set[str] = set()

    async def v1(request: Request) -> Response:
        return await _answer_api(service, request, in_use)

    async def sandbox(request: Request) -> Response:
        return await _answer_control(service, request, stop)

    async def pages(request: Request) -> Response:
        return await hosted.answer(service, request)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work) for work in (_live(service, stop), _deliver(service))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        service.close()

    routes = [
        Route("/_sandbox/{name:path}", sandbox, methods=_METHODS),
        Route("/hosted/{path:path}", pages, methods=["GET", "POST"]),
        Route("/{path:path}", v1, methods=_METHODS),
    ]
    # A page of somebody else's in a browser must not reach the account under another name for this machine.
    local = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    return Cutting(Starlette(routes=routes, lifespan=lifespan, middleware=[local]))


async def _answer_api(service: Service, request: Request, in_use: set[str]) -> Response:
    body = (await request.body()).decode("utf-8", "replace")
    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = api.Request(request.method, request.url.path, request.url.query, body, headers)
    key = headers.get("idempotency-key")
    if service.building:
        return _refused(service, NotReady(service.progress))
    if key and key in in_use:
        busy = Busy(
            "There is currently another in-progress request using this Idempotent Key (that probably means "
            "you submitted twice, and the other request is still going through). Please try again later."
        )
        return _refused(service, busy)
    if key:
        in_use.add(key)
    try:
        await asyncio.sleep(service.faults.late(asked.method, asked.path))
        answer = await service.run(api.answer, service, asked)
        await asyncio.sleep(answer.delay)
    finally:
        in_use.discard(key or "")
    if answer.cut:
        request.scope["cut"]()
        return Response(status_code=500)
    return Response(answer.body, answer.status, answer.headers)


def _refused(service: Service, error: ApiError) -> Response:
    """An answer that needs no turn on the account's thread."""
    return JSONResponse(error.body(), error.status, {"Request-Id": service.ids.new("req")})


async def _answer_control(service: Service, request: Request, stop: Callable[[], None]) -> Response:
    name = request.path_params["name"].strip("/")
    if (request.method, name) == ("GET", "state"):
        return JSONResponse(control.state(service))
    if (request.method, name) == ("POST", "stop"):
        stop()
        return JSONResponse({"stopping": True})
    if service.building:
        return _refused(service, NotReady(service.progress))
    try:
        given: Any = dict(request.query_params)
        if request.method == "POST":
            given = json.loads(await request.body() or b"{}")
        if not isinstance(given, dict):
            return JSONResponse({"error": {"message": "Send a JSON object."}}, 400)
        return JSONResponse(await service.run(control.command, service, request.method, name, given))
    except json.JSONDecodeError as error:
        return JSONResponse({"error": {"message": f"That is not JSON: {error}"}}, 400)
    except ApiError as error:
        return JSONResponse(error.body(), error.status)


async def _live(service: Service, stop: Callable[[], None]) -> None:
    """Build the account at first start, then let time pass."""
    try:
        await service.run(service.build)
    except Exception as error:
        _log.exception("the account could not be built")
        service.problem = f"The account could not be built: {error}"
        stop()
        return
    while True:
        await asyncio.sleep(_TICK)
        try:
            await service.run(service.tick)
        except Exception:
            # One bad object must not stop the account's time for all others; the trace names it.
            _log.exception("a tick failed")
            await service.run(service.store.rollback)


async def _deliver(service: Service) -> None:
    """Send webhooks as they become due, several at once."""
    while True:
        await asyncio.sleep(_DELIVER)
        if service.building:
            continue
        due = await service.run(service.webhooks.due)
        await asyncio.gather(*(_send(service, delivery) for delivery in due))


async def _send(service: Service, delivery: webhooks.Delivery) -> None:
    accepted = await asyncio.to_thread(webhooks.send, delivery)
    await service.run(service.webhooks.done, delivery, accepted)
