"""What do we answer to programs? HTTP routes beside the pages, served by the same process."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import sqlalchemy as sa
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from models import Workspace
from services import config, database, schedules
from services.desk import endpoint
from services.errors import ConfigurationError, InvalidInput, TrialdeskError
from services.mirror import identity
from services.mirror.arrivals import Arrivals
from services.mirror.refusals import Refusals
from services.mirror.shapes.reading import Object
from services.stripe_api import signatures
from services.version import version

_LARGEST = 2_000_000  # bytes of a delivery; Stripe's are far smaller
_log = logging.getLogger(__name__)
_arrivals, _refusals = Arrivals(), Refusals()


class PublicRoutes:
    """Answers programs ahead of all that pages need (sessions, compression), which costs more than an answer.

    Pure ASGI middleware: what is for nobody here goes on to the pages.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        routes = [
            Route("/healthz", healthz, methods=["GET"]),
            Route(endpoint.PATH, stripe_webhook, methods=["POST"]),
        ]
        # Another method is answered with 405: inside an app the router would raise that.
        self.router = ExceptionMiddleware(Router(routes, redirect_slashes=False, default=app))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or websocket."""
        await (self.router if scope["type"] == "http" else self.app)(scope, receive, send)


def healthz(_request: Request) -> JSONResponse:
    """Whether the desk works: 200 when its database answers, else 503. No sign-in: it tells nothing else.

    `{"status": "ok" | "unavailable", "database": bool, "last_pull": ISO 8601 UTC | null, "version": str}`,
    where `last_pull` is when the account was last looked at with success, once it was pulled.
    """
    try:
        with database.session() as session:
            workspace = session.get(Workspace, 1)
    except (TrialdeskError, sa.exc.SQLAlchemyError):
        body = {"status": "unavailable", "database": False, "last_pull": None, "version": version()}
        return JSONResponse(body, status_code=503)
    return JSONResponse(
        {"status": "ok", "database": True, "last_pull": _last_pull(workspace), "version": version()}
    )


def _last_pull(workspace: Workspace | None) -> str | None:
    if workspace is None or workspace.pulled_at is None:
        return None
    return datetime.fromtimestamp(max(workspace.pulled_at, workspace.checked_at or 0), UTC).isoformat()


async def stripe_webhook(request: Request) -> Response:
    """Takes an event that Stripe delivers: 200 once it is stored, and applied in the background.

    404 where no signing secret is set, 400 for what is not signed by one or not for this account, 413 for
    more than Stripe ever sends: these are counted, for Connect and System. 503 while the database cannot take
    it: Stripe tries again for three days.
    """
    try:
        event = await _event(request)
    except TrialdeskError as error:
        _refusals.note(error)
        return _said(_STATUS.get(type(error), 400), str(error))
    try:
        await _arrivals.keep(event)
    except (TrialdeskError, sa.exc.SQLAlchemyError) as error:
        _log.warning("The event %s could not be stored: %s", event["id"], error)
        return _said(503, "The desk cannot store this now. Send it again.")
    schedules.ring()
    return _said(200, "Stored.")


class _NoSecret(ConfigurationError):
    """Nothing can tell whether Stripe has sent it."""

    def __init__(self) -> None:
        super().__init__(
            "Webhooks are not set up here.",
            remedy="Set STRIPE_WEBHOOK_SECRET to the endpoint's signing secret, and start the desk again.",
        )


class _TooLarge(InvalidInput):
    """A body with more bytes than any event has."""

    def __init__(self) -> None:
        super().__init__(
            f"A delivery has at most {_LARGEST:,} bytes, and this one had more.",
            remedy="Stripe sends nothing of that size: the sender is somebody else, and can be left refused.",
        )


_STATUS = {_NoSecret: 404, _TooLarge: 413}  # all others: 400


async def _event(request: Request) -> Object:
    """The event of a delivery. Raises _NoSecret, _TooLarge, NotSigned, NotAnEvent and InvalidInput."""
    settings = config.settings()
    if not settings.webhook_secrets:
        raise _NoSecret
    body = await _body(request)
    event = signatures.event(body, request.headers.get("stripe-signature", ""), settings.webhook_secrets)
    identity.require_ours(event, settings.mode)
    return event


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise _TooLarge
    return bytes(body)


def _said(status: int, sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", status_code=status)
