"""Which page of a list does a request get?

Lists are newest first; cursors are exclusive; a page is read as stored JSON, not as objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from services.sandbox import schema
from services.sandbox.billing.account import Account
from services.sandbox.errors import InvalidRequest, NoSuchObject
from services.sandbox.store import Body, cut

Condition = tuple[str, tuple[Any, ...]]
Filter = Callable[[Any], Condition]

PAGING: schema.Schema = {
    "limit": schema.integer,
    "starting_after": schema.text,
    "ending_before": schema.text,
    "expand": schema.EXPAND,
}
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Page(NamedTuple):
    """A page of stored objects as JSON texts."""

    url: str
    rows: list[str]
    has_more: bool

    def bodies(self) -> list[Body]:
        """The page's objects."""
        return [json.loads(row) for row in self.rows]

    def encoded(self) -> bytes:
        """The list object."""
        more = "true" if self.has_more else "false"
        head = f'{{"object":"list","url":{json.dumps(self.url)},"has_more":{more},"data":['
        return (head + ",".join(self.rows) + "]}").encode()


def column(name: str) -> Filter:
    """The column equals the value."""
    return lambda value: (f"{name} = ?", (value,))


def field(path: str) -> Filter:
    """What stands at a path of the body equals the value."""
    return lambda value: (f"json_extract(body, '$.{path}') = ?", (value,))


def any_of(path: str) -> Filter:
    """What stands at a path of the body is one of the values."""

    def condition(values: Sequence[Any]) -> Condition:
        marks = ", ".join("?" * len(values))
        return f"json_extract(body, '$.{path}') IN ({marks})", tuple(values)

    return condition


def times(expression: str) -> Filter:
    """A time equals the value, or lies in the span that it describes."""

    def condition(value: Any) -> Condition:
        if not isinstance(value, dict):
            return f"{expression} = ?", (value,)
        parts = [f"{expression} {_COMPARE[name]} ?" for name in value]
        return " AND ".join(parts) or "1", tuple(value.values())

    return condition


def page(account: Account, kind: str, url: str, params: dict[str, Any], filters: Sequence[Condition]) -> Page:
    """The page that `limit` and the cursors ask for; raises InvalidRequest for a bad limit or cursor."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise InvalidRequest(
            "This value must be between 1 and 100 (inclusive).", "limit", "parameter_invalid_integer"
        )
    conditions = ["kind = ?", *(sql for sql, _ in filters)]
    args: list[Any] = [kind]
    for _, values in filters:
        args.extend(values)
    backwards = False
    for name, sign in (("starting_after", "<"), ("ending_before", ">")):
        if params.get(name):
            conditions.append(f"(created, seq) {sign} (?, ?)")
            args.extend(_place(account, kind, params[name], name))
            backwards = name == "ending_before"
    order = "ASC" if backwards else "DESC"
    query = (
        f"SELECT body, notes FROM objects WHERE {' AND '.join(conditions)} "  # noqa: S608
        f"ORDER BY created {order}, seq {order} LIMIT ?"
    )
    found = account.store.query(kind, query, (*args, limit + 1))
    shown = [_text(body, notes) for body, notes in found[:limit]]
    return Page(url, shown[::-1] if backwards else shown, len(found) > limit)


def of_bodies(url: str, bodies: list[Body], params: dict[str, Any]) -> Page:
    """A page of things that are kept inside another object, in their own order."""
    ids = [body["id"] for body in bodies]
    for name in ("starting_after", "ending_before"):
        if params.get(name) and params[name] not in ids:
            raise NoSuchObject(bodies[0]["object"] if bodies else "object", params[name], name)
    if params.get("starting_after"):
        bodies = bodies[ids.index(params["starting_after"]) + 1 :]
    limit = params.get("limit", 10)
    if params.get("ending_before"):
        bodies = bodies[: ids.index(params["ending_before"])][-limit:]
    return Page(url, [json.dumps(body) for body in bodies[:limit]], len(bodies) > limit)


def _place(account: Account, kind: str, object_id: str, param: str) -> tuple[int, int]:
    query = "SELECT created, seq FROM objects WHERE id = ?"
    found = account.store.query(kind, query, (object_id,))
    if not found:
        raise NoSuchObject(kind, object_id, param)
    return found[0][0], found[0][1]


def _text(body: str, notes: str | None) -> str:
    if notes and '"long":true' in notes:
        return json.dumps(cut(json.loads(body)))
    return body
