"""Which function answers which request?

A route binds a method and a path such as `/v1/customers/{id}` to a function of the engine and to the schema
of its parameters. The function is called with the account, the ids of the path, and the parameters by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from services.sandbox import schema
from services.sandbox.billing.account import Account
from services.sandbox.errors import NoSuchRoute
from services.sandbox.listing import PAGING, Condition, Filter, Page, page, times
from services.sandbox.schema import Schema
from services.sandbox.store import Body

Answer = Body | Page
Handler = Callable[..., Answer]


class Route(NamedTuple):
    """One endpoint."""

    method: str
    path: str
    handler: Handler
    schema: Schema


def get(path: str, handler: Handler, schema_: Schema | None = None) -> Route:
    """A route that reads."""
    return Route("GET", path, handler, {"expand": schema.EXPAND, **(schema_ or {})})


def post(path: str, handler: Handler, schema_: Schema | None = None) -> Route:
    """A route that writes."""
    return Route("POST", path, handler, {"expand": schema.EXPAND, **(schema_ or {})})


def delete(path: str, handler: Handler, schema_: Schema | None = None) -> Route:
    """A route that removes or ends."""
    return Route("DELETE", path, handler, {"expand": schema.EXPAND, **(schema_ or {})})


def retrieve(path: str, kind: str) -> Route:
    """GET of one object of a kind by the id at the path's end."""

    def handler(account: Account, object_id: str) -> Body:
        return account.get(kind, object_id)

    return get(path, handler)


def lists(
    path: str,
    kind: str,
    filters: dict[str, tuple[schema.Checker, Filter]] | None = None,
    *,
    created: bool = True,
    always: Callable[[dict[str, Any]], Sequence[Condition]] | None = None,
) -> Route:
    """GET of a list: `filters` are its parameters, each with its checker and its condition; `always` adds
    conditions that depend on all parameters.
    """
    known = dict(filters or {})
    if created:
        known["created"] = (schema.span, times("created"))
    checks: Schema = {**PAGING, **{name: checker for name, (checker, _) in known.items()}}

    def handler(account: Account, *ids: str, **params: Any) -> Page:
        wanted = [known[name][1](value) for name, value in params.items() if name in known and value != ""]
        wanted += always(params) if always else []
        if ids:
            wanted.append(("customer = ?", ids))
        return page(account, kind, path.format(id=ids[0] if ids else ""), params, wanted)

    return Route("GET", path, handler, checks)


class Table:
    """All routes, found by method and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(route.path.strip("/").split("/"), route) for route in routes]
        fixed_first = sorted(self._routes, key=lambda entry: [part.startswith("{") for part in entry[0]])
        self._by_length: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for parts, route in fixed_first:
            self._by_length.setdefault((route.method, len(parts)), []).append((parts, route))

    def find(self, method: str, path: str) -> tuple[Route, list[str]]:
        """The route and the ids that stand in the path; raises NoSuchRoute."""
        given = path.strip("/").split("/")
        for parts, route in self._by_length.get((method, len(given)), []):
            if all(part == name or part.startswith("{") for part, name in zip(parts, given, strict=True)):
                ids = [name for part, name in zip(parts, given, strict=True) if part.startswith("{")]
                return route, ids
        raise NoSuchRoute(method, path)
