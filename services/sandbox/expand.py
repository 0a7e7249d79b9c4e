"""Which ids does the caller want to see as objects?"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import prices
from services.sandbox.billing.account import Account
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body, cut

_DEEPEST = 4
_UNKNOWN = object()


def expand(account: Account, body: Any, paths: list[str]) -> Any:
    """A copy of the object (or list) in which the ids at the paths are replaced by their objects, such as
    `data.customer` or `latest_invoice.payments`. Raises InvalidRequest for a path that cannot be expanded.
    """
    for path in paths:
        parts = path.split(".")
        if len(parts) > _DEEPEST:
            raise InvalidRequest(f"You cannot expand more than {_DEEPEST} levels of a property.", "expand")
        body = _along(account, body, parts, path)
    return body


def _along(account: Account, node: Any, parts: list[str], path: str) -> Any:
    if node is None or not parts:
        return node
    if isinstance(node, list):
        return [_along(account, entry, parts, path) for entry in node]
    name, rest = parts[0], parts[1:]
    if name not in node:
        made = _included(account, node, name)
        if made is _UNKNOWN:
            raise InvalidRequest(f"This property cannot be expanded ({path}).", "expand")
        return {**node, name: _along(account, made, rest, path)}
    value = node[name]
    return {**node, name: _along(account, _opened(account, value), rest, path)}


def _opened(account: Account, value: Any) -> Any:
    if isinstance(value, str):
        found = account.store.find(value)
        return dict(cut(found)) if found else value
    if isinstance(value, list):
        return [_opened(account, entry) for entry in value]
    return value


def _included(account: Account, node: Body, name: str) -> Any:
    """What is not there unless it is asked for."""
    kind = node.get("object")
    if kind == "customer" and name == "subscriptions":
        living = "customer = ? AND label NOT IN ('canceled', 'incomplete_expired')"
        found = account.store.all("subscription", living, (node["id"],))
        return objects.listing(f"/v1/customers/{node['id']}/subscriptions", [dict(cut(one)) for one in found])
    if kind == "customer" and name in ("sources", "tax_ids"):
        return objects.listing(f"/v1/customers/{node['id']}/{name}", [])
    if kind == "invoice" and name == "payments":
        found = account.store.all("invoice_payment", "parent = ?", (node["id"],))
        return objects.listing("/v1/invoice_payments", [dict(one) for one in found])
    if kind == "charge" and name == "refunds":
        found = account.store.all("refund", "parent = ?", (node["id"],))
        return objects.listing(f"/v1/charges/{node['id']}/refunds", [dict(one) for one in found])
    if kind == "coupon" and name == "applies_to":
        return {"products": []}
    if kind == "price" and name == "currency_options":
        return prices.currency_options(account, node)
    if kind == "price" and name == "tiers":
        return prices.tiers(account, node)
    return _UNKNOWN
