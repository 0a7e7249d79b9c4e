"""What does an object of Stripe's look like at the version that the SDK pins (2026-10-28.endive)?

`new` makes whole objects by their `object` name, `part` the hashes inside them. Money is in minor units,
time in whole seconds since 1970 UTC.
"""

import marshal
from typing import Any

from services.sandbox.objects import catalog, customers, invoices, parts, payments, sessions, subscriptions
from services.sandbox.objects.shape import Fields, Shape

API_VERSION = "2026-10-28.endive"

_KINDS: dict[str, Shape] = {
    **customers.SHAPES,
    **catalog.SHAPES,
    **subscriptions.SHAPES,
    **invoices.SHAPES,
    **payments.SHAPES,
    **sessions.SHAPES,
}
KINDS = tuple(_KINDS)
PARTS = tuple(parts.SHAPES)


class ShapeError(TypeError):
    """The sandbox asked for an object that Stripe does not have; `kind` and `names` say which."""

    def __init__(self, kind: str, names: frozenset[str], problem: str) -> None:
        self.kind, self.names = kind, names
        super().__init__(f"{kind}: {problem}: {', '.join(sorted(names))}" if names else f"{kind}: {problem}")


class UnknownKindError(ShapeError):
    """There is no such kind of object."""


class UnknownFieldError(ShapeError):
    """The kind has no such field at this API version."""


class MissingFieldError(ShapeError):
    """A field without a sensible default was not given."""


def new(kind: str, /, **fields: Any) -> dict[str, Any]:
    """A complete object of the kind, e.g. `new("customer", id=..., created=...)`; nothing in it is shared.

    Raises UnknownKindError, UnknownFieldError, MissingFieldError.
    """
    made = _make(_KINDS, kind, fields)
    made["object"] = kind
    return made


def part(name: str, /, **fields: Any) -> dict[str, Any]:
    """A complete hash that inside an object, e.g. `part("address", country="DE")`; raises like `new`."""
    return _make(parts.SHAPES, name, fields)


def known_fields(kind: str) -> frozenset[str]:
    """The names that `new` takes for the kind."""
    return _KINDS[kind].known | {"object"}


def listing(url: str, data: list[Any], *, has_more: bool = False) -> dict[str, Any]:
    """A list object; with `has_more` the data is its first page."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def deleted(kind: str, object_id: str) -> dict[str, Any]:
    """The stub that stands for a deleted object."""
    return {"id": object_id, "object": kind, "deleted": True}


def plan_of(price: dict[str, Any]) -> dict[str, Any]:
    """The older `plan` that subscription items still carry beside their price. The price is recurring."""
    recurring = price["recurring"]
    return new(
        "plan",
        id=price["id"],
        active=price["active"],
        amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"],
        billing_scheme=price["billing_scheme"],
        created=price["created"],
        currency=price["currency"],
        interval=recurring["interval"],
        interval_count=recurring["interval_count"],
        metadata=dict(price["metadata"]),
        nickname=price["nickname"],
        product=price["product"],
        tiers_mode=price["tiers_mode"],
        transform_usage=price["transform_quantity"],
        usage_type=recurring["usage_type"],
    )


def _make(shapes: dict[str, Shape], kind: str, fields: Fields) -> dict[str, Any]:
    known = shapes.get(kind)
    if known is None:
        raise UnknownKindError(kind, frozenset(), "no such kind")
    if unknown := fields.keys() - known.known:
        raise UnknownFieldError(kind, frozenset(unknown), "no such field")
    if missing := known.required - fields.keys():
        raise MissingFieldError(kind, missing, "must be given")
    made: dict[str, Any] = marshal.loads(known.template)  # noqa: S302 - our own bytes, never from outside
    made.update(fields)
    return made
