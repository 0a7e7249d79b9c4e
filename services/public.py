"""What do we answer to programs? HTTP routes beside the pages, served by the same process."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from models import Workspace
from services import database
from services.errors import TrialdeskError
from services.version import version


def routes() -> list[Route]:
    """All routes, for the server."""
    return [Route("/healthz", healthz, methods=["GET"])]


def healthz(_request: Request) -> JSONResponse:
    """Whether the desk works: 200 when its database answers, else 503. No sign-in: it tells nothing else.

    `{"status": "ok" | "unavailable", "database": bool, "last_pull": ISO 8601 UTC | null, "version": str}`
    """
    try:
        with database.session() as session:
            workspace = session.get(Workspace, 1)
    except (TrialdeskError, sa.exc.SQLAlchemyError):
        body = {"status": "unavailable", "database": False, "last_pull": None, "version": version()}
        return JSONResponse(body, status_code=503)
    pulled = workspace.pulled_at if workspace else None
    last = datetime.fromtimestamp(pulled, UTC).isoformat() if pulled else None
    return JSONResponse({"status": "ok", "database": True, "last_pull": last, "version": version()})
