"""How is a request of the API answered?

In order: the key, the rate, faults that strike before, the route, the kept answer of an idempotency key,
time, the parameters, the work, and faults that strike after. What a request did and the answer that is kept
for its key are one transaction.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from services.sandbox import idempotency, params, schema, shapes
from services.sandbox.errors import (
    ApiError,
    CardDeclined,
    InternalFault,
    InvalidRequest,
    Locked,
    TooManyRequests,
)
from services.sandbox.expand import expand
from services.sandbox.faults import Fault
from services.sandbox.idempotency import Kept
from services.sandbox.listing import Page
from services.sandbox.objects import API_VERSION
from services.sandbox.routes import TABLE
from services.sandbox.routing import Answer, Route
from services.sandbox.service import Service
from services.sandbox.store import cut, encode

_log = logging.getLogger(__name__)
_UNKEPT = (401, 403, 409, 429, 503)


@dataclass
class Request:
    """What came in; `headers` have lower-case names."""

    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]
    id: str = ""


@dataclass
class Response:
    """What goes out: after `delay` seconds, or never when the connection is `cut`."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: bool = False


def answer(service: Service, request: Request) -> Response:
    """Carry out a request. Runs on the service's own thread."""
    request.id = service.ids.new("req")
    struck = service.faults.struck(request.method, request.path)
    response = _answer(service, request, struck)
    response.headers |= {
        "Request-Id": request.id,
        "Stripe-Version": API_VERSION,
        "Content-Type": "application/json",
    }
    key = request.headers.get("idempotency-key")
    if key:
        response.headers["Idempotency-Key"] = key
    response.headers["Date"] = service.http_date()
    response.delay = sum(fault.seconds for fault in struck if fault.kind == "slow" or "timeout" in fault.kind)
    service.remember(request, response)
    return response


def _answer(service: Service, request: Request, struck: list[Fault]) -> Response:
    kinds = {fault.kind for fault in struck}
    try:
        service.keys.check(request.headers.get("authorization", ""), request.method, request.path)
        if not service.limiter.take():
            raise TooManyRequests("global-rate")
        if "timeout_before" in kinds:
            return Response(500, b"", cut=True)
        _strike_before(struck)
        response = _carry_out(service, request, "500_after" in kinds, "shape_old" in kinds)
        response.cut = "timeout_after" in kinds
        return response
    except ApiError as error:
        return _error(error, request)
    except Exception:
        # Like Stripe, answer with a 500; the trace says what the sandbox did wrong.
        _log.exception("%s %s failed", request.method, request.path)
        service.store.rollback()
        return _error(InternalFault(), request)


def _strike_before(struck: list[Fault]) -> None:
    for fault in struck:
        if fault.kind == "500_before":
            raise InternalFault
        if fault.kind == "429":
            raise TooManyRequests(fault.reason)
        if fault.kind == "409":
            raise Locked


def _carry_out(service: Service, request: Request, fails_after: bool, old_shape: bool) -> Response:
    route, ids = TABLE.find(request.method, request.path)
    given = params.decode(request.query)
    given |= params.decode(request.body)
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    print_ = idempotency.fingerprint(request.method, request.path, given) if key else ""
    if key and (kept := idempotency.find(service.store, key, print_)):
        headers = {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
        return Response(kept.status, kept.body, headers)
    service.catch_up()
    checked = schema.check(route.schema, given)
    service.account.request = {"id": request.id, "idempotency_key": key}
    response = _work(service, request, route, ids, checked, old_shape)
    if fails_after:
        response = _error(InternalFault(), request)
    if key and response.status not in _UNKEPT:
        kept = Kept(response.status, response.body, request.id)
        idempotency.keep(service.store, key, print_, kept, service.account.now)
    service.store.commit()
    return response


def _work(
    service: Service, request: Request, route: Route, ids: list[str], checked: dict[str, Any], old_shape: bool
) -> Response:
    """Do it; what failed is undone, but for a charge that was declined: that has happened."""
    paths = checked.pop("expand", [])
    try:
        made = route.handler(service.account, *ids, **checked)
        return Response(200, _encoded(service, made, paths, old_shape))
    except CardDeclined as error:
        if not error.happened:
            service.store.rollback()
        return _error(error, request)
    except ApiError as error:
        service.store.rollback()
        return _error(error, request)
    except Exception:
        # Like Stripe, answer with a 500; the trace says what the sandbox did wrong.
        _log.exception("%s %s failed", request.method, request.path)
        service.store.rollback()
        return _error(InternalFault(), request)


def _encoded(service: Service, made: Answer, paths: list[str], old_shape: bool) -> bytes:
    if isinstance(made, Page):
        if not paths and not old_shape:
            return made.encoded()
        body: Any = {"object": "list", "url": made.url, "has_more": made.has_more, "data": made.bodies()}
    else:
        body = cut(made)
    if paths:
        body = expand(service.account, body, paths)
    if old_shape:
        body = shapes.old(service.account, body)
    return encode(body).encode()


def _error(error: ApiError, request: Request) -> Response:
    body = error.body()
    body["error"]["request_log_url"] = f"/_sandbox/requests?{urlencode({'id': request.id})}"
    code = error.fields.get("code")
    if isinstance(error, InvalidRequest) and code:
        body["error"]["doc_url"] = f"https://stripe.com/docs/error-codes/{str(code).replace('_', '-')}"
    headers = {}
    if isinstance(error, TooManyRequests) and error.reason:
        headers["Stripe-Rate-Limited-Reason"] = error.reason
    return Response(error.status, json.dumps(body).encode(), headers)
